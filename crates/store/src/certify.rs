//! Certifying an evacuation: that everything stands without the targets that are left, and how that is known.
//!
//! For each pack and copied object with something there, [`plan::evacuate`] says what proves it: makes read back since the order,
//! or read within a month and listed since the order. What is not proven is read here, a bounded amount in each round; what then
//! is not, refuses the certificate, and the report names it and says why. Nothing at the leaving targets is asked for a proof.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use catalogue::{
    objects::ObjectView,
    packs::{Finding, PackView},
};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{OrderId, TargetId},
    orders::{Evacuated, Evacuation, TargetOrders},
    pack::MakeState,
};
use plan::{
    Proof, Topology, Unproven,
    evacuate::{Evidence, LATELY_S, prove_object, prove_pack},
};

use crate::{
    Draft, Inner, Store,
    error::{Error, Result},
    evacuating::There,
    ground::Done,
    ledger, locked,
};

/// Bytes of lanes that one round reads for proofs.
const READ_BYTES: u64 = 256 << 20;

/// Proofs of one entry of the ledger: an entry has 64 KiB, a proof less than 50 bytes.
const ENTRY_LINES: usize = 1_000;

/// What is said in the ledger of one order, as far as it is not there yet.
struct Noted {
    order: OrderId,
    lines: Vec<(&'static str, String)>,
    entries: u64,
}

/// What a look at everything came to.
#[derive(Default)]
struct Proofs {
    done: Evacuated,
    /// How many are not proven, and the first of them with the reason.
    unproven: usize,
    first: Option<String>,
    /// Something does not stand: it is to be moved first.
    unsettled: bool,
    left_bytes: u64,
}

impl Proofs {
    fn refuse(&mut self, what: &dyn std::fmt::Display, why: Unproven) {
        self.unproven += 1;
        self.unsettled |= why == Unproven::Unsettled;
        let why = match why {
            Unproven::Unsettled => "it is not settled without them".to_owned(),
            Unproven::Unread { makes } => format!("{makes} of its shards were not read back yet"),
        };
        self.first.get_or_insert_with(|| format!("{what}: {why}"));
    }
}

impl Inner {
    /// Certifies the orders for which everything is proven; why the others are not is a finding.
    pub(crate) async fn certify_all(
        self: &Arc<Self>,
        orders: &BTreeMap<OrderId, (Evacuation, Vec<TargetId>)>,
        everything: bool,
    ) -> Result<()> {
        let mut refused = Vec::new();
        for (id, (order, targets)) in orders.iter().filter(|(_, (order, _))| order.evacuated.is_none()) {
            let targets: BTreeSet<_> = targets.iter().copied().collect();
            let unlisted = self.list_staying(order, &targets).await;
            let mut proofs = self.prove_all(order, &targets, everything, None).await?;
            locked(&self.upkeep.evacuating.unproven).remove(id);
            if proofs.first.is_none() {
                // Everything is proven; once more, for the ledger.
                let mut noted = Noted { order: *id, lines: Vec::new(), entries: 0 };
                proofs = self.prove_all(order, &targets, everything, Some(&mut noted)).await?;
                if proofs.first.is_none() {
                    self.certify(targets, proofs.done, noted).await?;
                    continue;
                }
            }
            let first = proofs.first.unwrap_or_default();
            let unlisted =
                unlisted.map(|address| format!("; {address} does not list its names now")).unwrap_or_default();
            let why = format!(
                "not certified yet: {} packs and copied objects are not proven to stand without it ({first}){unlisted}; \
                 they are read, or moved, in the next rounds",
                proofs.unproven
            );
            locked(&self.upkeep.evacuating.unproven).insert(*id, why.clone());
            refused.push(why);
            if proofs.unsettled {
                self.upkeep.evacuating.look_at_fleet_again();
            }
            if proofs.left_bytes == 0 {
                // There is more to read, and nothing to wait for.
                *locked(&self.upkeep.evacuating.ask_after_us) = 0;
                self.upkeep.wake();
            }
        }
        let said = format!("evacuating: {}", refused.join("; "));
        self.upkeep.finding("evacuation not certified", (!refused.is_empty()).then_some(said));
        Ok(())
    }

    /// Lists every target that stays and was not listed since the order; the first that does not list.
    async fn list_staying(self: &Arc<Self>, order: &Evacuation, targets: &BTreeSet<TargetId>) -> Option<String> {
        let mut silent = None;
        for live in self.fleet.all() {
            let known = locked(&self.upkeep.evacuating.listed).get(&live.row.id).copied();
            let fresh = known.is_some_and(|at_us| at_us >= order.ordered_us);
            if live.state != TargetState::Up || targets.contains(&live.row.id) || fresh {
                continue;
            }
            let began_us = self.world.clock.now().wall_us;
            match self.read_all_names(live.row.id).await {
                Ok(()) => _ = locked(&self.upkeep.evacuating.listed).insert(live.row.id, began_us),
                Err(_) => silent = silent.or(Some(live.row.address)),
            }
        }
        silent
    }

    /// Looks at everything that has something at the targets, and reads what is not proven.
    async fn prove_all(
        self: &Arc<Self>,
        order: &Evacuation,
        targets: &BTreeSet<TargetId>,
        everything: bool,
        mut noted: Option<&mut Noted>,
    ) -> Result<Proofs> {
        let staying = self.leaving_only(targets).staying();
        let left_bytes = if everything { u64::MAX } else { READ_BYTES };
        let mut proofs = Proofs { left_bytes, ..Proofs::default() };
        let mut there = There::at(targets);
        while let Some(page) = there.next_packs(self).await? {
            for view in page {
                let (pack, proof) = self.pack_proof(view, order, &staying, &mut proofs).await?;
                match proof {
                    Ok(Proof::Read) => proofs.done.packs_read += 1,
                    Ok(Proof::Listing) => proofs.done.packs_listed += 1,
                    Err(why) => proofs.refuse(&format!("pack {pack}"), why),
                }
                if let (Some(noted), Ok(proof)) = (noted.as_deref_mut(), proof) {
                    self.note_proof(noted, ("pack", format!("{pack} {}", proof.word()))).await?;
                }
            }
        }
        let spare = self.spare_journal().await?;
        let mut there = There::at(targets);
        while let Some(page) = there.next_objects(self).await? {
            for view in page.into_iter().filter(|view| !spare.contains(&view.object.id)) {
                let (id, name) = (view.object.id, view.object.name.clone());
                let proof = self.object_proof(view, order, &staying).await?;
                match proof {
                    Ok(Proof::Read) => proofs.done.objects_read += 1,
                    Ok(Proof::Listing) => proofs.done.objects_listed += 1,
                    Err(why) => proofs.refuse(&name, why),
                }
                if let (Some(noted), Ok(proof)) = (noted.as_deref_mut(), proof) {
                    self.note_proof(noted, ("object", format!("{id} {}", proof.word()))).await?;
                }
            }
        }
        Ok(proofs)
    }

    async fn pack_proof(
        self: &Arc<Self>,
        view: PackView,
        order: &Evacuation,
        staying: &Topology,
        proofs: &mut Proofs,
    ) -> Result<(model::id::PackId, std::result::Result<Proof, Unproven>)> {
        let pack = view.id;
        let proof = self.prove_view(&view, order, staying);
        if !matches!(proof, Err(Unproven::Unread { .. })) || proofs.left_bytes == 0 {
            return Ok((pack, proof));
        }
        for found in &view.makes {
            let counts = staying.target(found.make.target).is_some_and(|known| known.state == TargetState::Up);
            let known = self.evidence(&found.finding, found.make.target, order);
            if counts && found.finding.state == MakeState::Good && known == Evidence::None {
                proofs.left_bytes = proofs.left_bytes.saturating_sub(found.make.lane_bytes);
                self.judge_and_write_down(pack, view.k, found.make).await?;
            }
        }
        let read = self.catalogue.read(move |tx| catalogue::packs::view(tx, pack)).await?;
        // One that is gone meanwhile needs no proof.
        Ok((pack, read.map_or(Ok(Proof::Read), |view| self.prove_view(&view, order, staying))))
    }

    fn prove_view(
        &self,
        view: &PackView,
        order: &Evacuation,
        staying: &Topology,
    ) -> std::result::Result<Proof, Unproven> {
        prove_pack(&crate::view::of_pack(view), staying, |lane| {
            let found = view.makes.iter().find(|found| found.make.make == lane.make);
            found.map_or(Evidence::None, |found| self.evidence(&found.finding, lane.target, order))
        })
    }

    /// Copied objects are few and small: what is not proven of them is read at once.
    async fn object_proof(
        self: &Arc<Self>,
        view: ObjectView,
        order: &Evacuation,
        staying: &Topology,
    ) -> Result<std::result::Result<Proof, Unproven>> {
        let proof = self.prove_copies(&view, order, staying);
        if !matches!(proof, Err(Unproven::Unread { .. })) {
            return Ok(proof);
        }
        let id = view.object.id;
        for copy in &view.copies {
            let counts = staying.target(copy.target).is_some_and(|known| known.state == TargetState::Up);
            let known = self.evidence(&copy.finding, copy.target, order);
            if counts && copy.finding.state == MakeState::Good && known == Evidence::None {
                self.check_copy(&view.object, copy.target).await?;
            }
        }
        let read = self.catalogue.read(move |tx| catalogue::objects::view(tx, id)).await?;
        let used = read.filter(|view| view.object.released.is_none());
        Ok(used.map_or(Ok(Proof::Read), |view| self.prove_copies(&view, order, staying)))
    }

    fn prove_copies(
        &self,
        view: &ObjectView,
        order: &Evacuation,
        staying: &Topology,
    ) -> std::result::Result<Proof, Unproven> {
        prove_object(&crate::view::of_object(view), staying, |seen| {
            let found = view.copies.iter().find(|copy| copy.target == seen.target);
            found.map_or(Evidence::None, |copy| self.evidence(&copy.finding, copy.target, order))
        })
    }

    /// What a finding is worth as a proof for an order.
    fn evidence(&self, finding: &Finding, target: TargetId, order: &Evacuation) -> Evidence {
        let Some(read_us) = finding.verified_us else { return Evidence::None };
        if read_us >= order.ordered_us {
            return Evidence::Read;
        }
        // Of both clocks the one that says it is longer ago is believed.
        let wall_s = self.world.clock.now().wall_us.saturating_sub(read_us) / 1_000_000;
        let service_s = self.service_time().0.saturating_sub(finding.verified_at.0);
        let lately = u64::try_from(wall_s).is_ok_and(|age_s| age_s.max(service_s) < LATELY_S);
        let listed = locked(&self.upkeep.evacuating.listed).get(&target).copied();
        let listed = listed.is_some_and(|at_us| at_us >= order.ordered_us);
        if lately && listed { Evidence::Listing } else { Evidence::None }
    }

    /// Keeps a proof for the ledger, and notes those before it when they fill an entry.
    async fn note_proof(self: &Arc<Self>, noted: &mut Noted, line: (&'static str, String)) -> Result<()> {
        noted.lines.push(line);
        if noted.lines.len() < ENTRY_LINES {
            return Ok(());
        }
        let lines = std::mem::take(&mut noted.lines);
        let (order, now_us) = (noted.order, self.world.clock.now().wall_us);
        noted.entries += 1;
        Store(self.clone()).commit(move |tx, draft| note_proofs(tx, draft, order, lines, now_us)).await
    }

    /// Records that an order is carried out, and says so in the ledger.
    async fn certify(self: &Arc<Self>, targets: BTreeSet<TargetId>, done: Evacuated, noted: Noted) -> Result<()> {
        let done = Evacuated { at_us: self.world.clock.now().wall_us, ..done };
        let mut fields = vec![("order", noted.order.to_string())];
        fields.extend(self.named(&targets));
        let recorded = Store(self.clone())
            .commit(move |tx, draft| {
                let mut rows = Vec::new();
                for target in &targets {
                    let row = catalogue::orders::of(tx, *target)?;
                    if let Some(order) = row.evacuation.filter(|order| order.id == noted.order && !order.paused) {
                        let order = Evacuation { evacuated: Some(done), ..order };
                        rows.push(TargetOrders { evacuation: Some(order), ..row });
                    }
                }
                // It may have been paused or taken back meanwhile.
                if rows.len() < targets.len() {
                    return Ok(Vec::new());
                }
                for row in &rows {
                    draft.audit(None, "target evacuated", row.target.to_string());
                    draft.change(Scope::Cluster, Change::TargetOrders(row.clone()));
                }
                let proofs = noted.entries + u64::from(!noted.lines.is_empty());
                if !noted.lines.is_empty() {
                    note_proofs(tx, draft, noted.order, noted.lines, done.at_us)?;
                }
                fields.extend(counts(&done, proofs));
                ledger::note(tx, draft, "evacuation.certificate", &fields, done.at_us)?;
                Ok::<_, Error>(rows)
            })
            .await?;
        if !recorded.is_empty() {
            self.take(Done { orders: recorded, ..Done::default() }).await;
        }
        Ok(())
    }

    /// Whose targets these are, and where.
    fn named(&self, targets: &BTreeSet<TargetId>) -> Vec<(&'static str, String)> {
        let lives: Vec<_> = targets.iter().filter_map(|target| self.fleet.live(*target)).collect();
        let own = |id| lives.iter().any(|live| live.row.provider == id);
        let providers = self.fleet.providers().into_iter().filter(|row| own(row.id));
        let mut named: Vec<_> = providers.map(|row| ("provider", row.name)).collect();
        named.extend(lives.iter().map(|live| ("target", format!("{} {}", live.row.id, live.row.address))));
        named
    }
}

fn counts(done: &Evacuated, proofs: u64) -> impl Iterator<Item = (&'static str, String)> {
    let counts = [
        ("packs.read", done.packs_read),
        ("packs.listed", done.packs_listed),
        ("objects.read", done.objects_read),
        ("objects.listed", done.objects_listed),
        ("proofs", proofs),
    ];
    counts.into_iter().map(|(key, count)| (key, count.to_string()))
}

/// Notes how some packs or copied objects are proven.
fn note_proofs(
    tx: &mut catalogue::Tx<'_>,
    draft: &mut Draft,
    order: OrderId,
    lines: Vec<(&'static str, String)>,
    now_us: i64,
) -> Result<()> {
    let mut fields = vec![("order", order.to_string())];
    fields.extend(lines);
    ledger::note(tx, draft, "evacuation.proof", &fields, now_us).map(drop)
}
