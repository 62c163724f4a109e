//! One seed, from founding to the end: what is done in which step.

use crate::{
    census::Census,
    world::{Broken, Parts, Step, World},
};

/// Steps of a seed, at least.
pub const STEPS: u64 = 300;
/// Rebuilds and rescues are tried every so many steps, and at the end: five times in all.
const HOMECOMING_EVERY: u64 = 75;

/// How a seed ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which seed.
    pub seed: u64,
    /// The hash of all its effects.
    pub hash: [u8; 32],
    /// How many there were.
    pub effects: u64,
    /// What happened how often.
    pub census: Census,
    /// The promise that was broken, if one was.
    pub broken: Option<Broken>,
    /// The steps, for people.
    pub history: Vec<String>,
    /// The last effects, if they were kept.
    pub trace: Vec<String>,
}

/// Plays one seed.
pub fn play(seed: u64, parts: Parts, traced: bool) -> Outcome {
    let mut world = match World::found(seed, parts) {
        Ok(world) => world,
        Err(broken) => {
            let (census, history) = (Census::default(), Vec::new());
            return Outcome {
                seed,
                hash: [0; 32],
                effects: 0,
                census,
                broken: Some(broken),
                history,
                trace: Vec::new(),
            };
        }
    };
    if traced {
        world.power.keep_trace();
    }
    let broken = live(&mut world).err();
    world.count_strikes();
    let outcome = Outcome {
        seed,
        hash: world.power.hash(),
        effects: world.power.effects(),
        census: world.census.borrow().clone(),
        broken,
        history: world.history.borrow().clone(),
        trace: world.power.take_trace(),
    };
    world.store = None;
    world.exec.drop_tasks();
    outcome
}

fn live(world: &mut World) -> Step {
    world.first_files()?;
    world.audit(false)?;
    for step in 1..=STEPS {
        world.step = step;
        one_step(world)?;
        world.leave_a_firm(STEPS)?;
        world.audit(false)?;
        world.check_uploads()?;
        if step % HOMECOMING_EVERY == 0 {
            world.check_rebuild()?;
            world.check_rescue()?;
            world.check_bytes(3)?;
        }
    }
    world.step += 1;
    world.crashes = false;
    world.settle()?;
    world.tick(true)?;
    world.audit(false)?;
    world.check_rebuild()?;
    world.check_rescue()?;
    world.check_bytes(1)?;
    world.count_states();
    world.beyond_the_promise()
}

fn one_step(world: &mut World) -> Step {
    world.remember();
    match world.chance.below(100) {
        0..=53 => {
            let count = world.chance.between(1, 3);
            world.maybe_arm(9);
            world.clients(count)
        }
        54..=63 => {
            world.maybe_arm(6);
            world.tick(false)
        }
        64..=70 => {
            world.maybe_arm(4);
            world.tick(true)
        }
        71 => {
            world.maybe_arm(2);
            world.scrub()
        }
        72..=77 => {
            world.count("actor: time passes");
            let us = *world.chance.pick(&[1_000_000, 8_000_000, 70_000_000, 4_000_000_000]).unwrap_or(&1_000_000);
            world.pass(us)
        }
        78..=86 => {
            world.hurt();
            Ok(())
        }
        87..=92 => world.settle(),
        93 => world.restart(),
        94 => world.rebuild(),
        95 => world.new_firm(),
        96 => {
            world.return_of_the_gone();
            Ok(())
        }
        97 => world.fill_all(),
        98 => {
            world.jump();
            Ok(())
        }
        _ => world.meddle(),
    }
}
