//! The server is killed while people write, again and again, on one data folder.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};

use crate::{
    common::{Scratch, holdfast, succeed},
    support::{Dice, Door, Server, Truth, door::file, long, server::Starting, truth::Content, until},
};

const CLIENTS: u64 = 8;
/// Requests that must be without an answer when the signal is sent.
const UNANSWERED_MIN: usize = 4;

/// What the one who kills watches.
#[derive(Default)]
struct Scene(Mutex<Facts>, Condvar);

#[derive(Default)]
struct Facts {
    /// Bytes of bodies that have left in this round.
    sent: u64,
    /// Requests begun and not answered.
    unanswered: usize,
    /// Clients that have stopped.
    gone: u64,
    killed: bool,
}

impl Scene {
    fn change(&self, change: impl FnOnce(&mut Facts)) -> MutexGuard<'_, Facts> {
        let mut facts = self.0.lock().unwrap();
        change(&mut facts);
        self.1.notify_all();
        facts
    }
}

/// Someone who writes to paths of its own.
struct Client {
    number: u64,
    dice: Dice,
    serial: u64,
    truth: Truth,
}

impl Client {
    /// Writes until the server is gone; how many requests stayed without an answer (one at most).
    fn write(&mut self, door: &Door, scene: &Scene) -> usize {
        let mut broken = 0;
        loop {
            let path = format!("client-{}/{}", self.number, self.dice.roll(6));
            self.serial += 1;
            let content = (self.dice.roll(12) != 0).then(|| {
                let bytes = match self.dice.roll(20) {
                    0..8 => self.dice.roll(2 << 10),
                    8..14 => self.dice.roll(64 << 10),
                    14..18 => (64 << 10) + self.dice.roll(900 << 10),
                    _ => (1 << 20) + self.dice.roll(3 << 20),
                };
                Content::new(self.number << 32 | self.serial, bytes as usize)
            });
            let killed = scene.change(|facts| facts.unanswered += usize::from(!facts.killed)).killed;
            if killed {
                break;
            }
            let body = content.map(Content::make).unwrap_or_default();
            let (method, at) = match content {
                Some(_) => ("PUT", file(&path)),
                None => ("DELETE", file(&path) + if self.dice.roll(2) == 0 { "" } else { "?permanent=true" }),
            };
            let mut sent = |bytes| drop(scene.change(|facts| facts.sent += bytes as u64));
            let answer = door.send(method, &at, &[], &body, &mut sent);
            match &answer {
                Ok(answer) if matches!(answer.status, 201 | 204 | 404) => self.truth.is(&path, content),
                Ok(answer) => panic!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)),
                Err(_) => self.truth.may_be(&path, content),
            }
            if answer.is_err() {
                broken = 1;
                break;
            }
            drop(scene.change(|facts| facts.unanswered -= 1));
        }
        drop(scene.change(|facts| facts.gone += 1));
        broken
    }
}

/// One round of writing that ends in a kill; how many requests it left without an answer.
fn round(server: &mut Server, door: &Door, clients: &mut [Client], threshold: u64) -> usize {
    let scene = Scene::default();
    thread::scope(|scope| {
        let scene = &scene;
        let writing: Vec<_> = clients.iter_mut().map(|client| scope.spawn(|| client.write(door, scene))).collect();
        let mut facts = scene.0.lock().unwrap();
        while (facts.sent < threshold || facts.unanswered < CLIENTS as usize - 1) && facts.gone == 0 {
            facts = scene.1.wait(facts).unwrap();
        }
        // Nobody counts an answer while the lock is held.
        server.strike();
        facts.killed = true;
        drop(facts);
        writing.into_iter().map(|client| client.join().unwrap()).sum()
    })
}

/// Starts a server and kills it after so many of its writing system calls, or when it listens.
fn killed_at_its_start(data: &Path, calls: u64) {
    let mut starting = Starting::begin(&[], data);
    let io = format!("/proc/{}/io", starting.child.id());
    until("it starts", || {
        let io = fs::read_to_string(&io).unwrap_or_default();
        let count = io.lines().find_map(|line| line.strip_prefix("syscw: ")?.parse::<u64>().ok());
        count.is_none_or(|count| count >= calls) || starting.is_up()
    });
    starting.child.kill().unwrap();
    starting.child.wait().unwrap();
}

/// A service made from the targets alone, with what the catalogue's own disk knew left out.
fn rebuilt(scratch: &Scratch, data: &Path) -> (Server, Door) {
    let (new, identity) = (scratch.join("rebuilt"), data.join("keys/service-identity.txt"));
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target").args(fs::read_dir(data.join("providers")).unwrap().map(|it| it.unwrap().path()));
    succeed(command);
    let server = Server::start(&new);
    let door = server.door();
    (server, door)
}

#[test]
fn killed_at_any_moment() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let mut dice = Dice::new(2012);
    let client = |number| Client { number, dice: Dice::new(number + 1), serial: 0, truth: Truth::default() };
    let mut clients: Vec<Client> = (0..CLIENTS).map(client).collect();
    let mut server = Server::start(&data);
    let first = server.door();
    let (wanted, mut done, mut tried) = (if long() { 400 } else { 60 }, 0, 0);
    while done < wanted {
        tried += 1;
        assert!(tried <= 2 * wanted, "only {done} of {tried} rounds had {UNANSWERED_MIN} open requests");
        let door = server.door_of(&first);
        // Mostly early, where starts, intents and first batches are; sometimes deep in a pack.
        let threshold = if dice.roll(3) == 0 { dice.roll(10 << 20) } else { dice.roll(1 << 20) };
        let unanswered = round(&mut server, &door, &mut clients, threshold);
        done += u32::from(unanswered >= UNANSWERED_MIN);
        server.kill();
        if tried % 4 == 0 {
            killed_at_its_start(&data, dice.roll(120));
        }
        server = Server::start(&data);
        let door = server.door_of(&first);
        for client in &mut clients {
            let mut paths: BTreeSet<String> = client.truth.unknown().into_iter().collect();
            let known = client.truth.paths();
            // A kill may come before a client's first request.
            paths.extend(known.get(dice.roll(known.len() as u64) as usize).cloned());
            paths.iter().for_each(|path| client.truth.check(&door, path));
        }
    }
    let door = server.door_of(&first);
    clients.iter_mut().for_each(|client| client.truth.check_all(&door));
    let fleet = door.fleet();
    assert_eq!((&fleet["files_unreadable"], &fleet["files_below_safe"]), (&0.into(), &0.into()), "{fleet}");
    server.kill();
    // What was acknowledged is at the targets, not only in the catalogue.
    let (server, door) = rebuilt(&scratch, &data);
    clients.iter_mut().for_each(|client| client.truth.check_all(&door));
    server.stop();
}
