//! Numbers for a monitor, written as Prometheus reads them.
//!
//! Every name begins with `holdfast_`, is in base units, and is explained where it is written ([`text`] calls a function for each
//! group). Labels are what an operator named (firms), the first digits of ids, doors and verbs: no account, no file, no address.
//! What was not counted yet is left out, never written as 0.
//!
//! Source: Prometheus documentation, "Exposition formats", text format 0.0.4.

use std::fmt::{Display, Write as _};

use model::{
    fleet::TargetState,
    latency::{Latency, STEPS_US},
};
use service::{Gauges, Tally};

use crate::watch::Watch;

/// Digits of a target's id: enough to tell a fleet's targets apart.
const ID_DIGITS: usize = 8;

/// All numbers of now.
pub fn text(watch: &Watch) -> String {
    let gauges = watch.service().gauges();
    let mut page = Exposition::default();
    about_the_program(&mut page, &gauges);
    about_what_is_kept(&mut page, &gauges);
    about_upkeep(&mut page, &gauges);
    about_providers(&mut page, &gauges);
    about_targets(&mut page, &gauges);
    about_doors(&mut page, watch);
    about_certificates(&mut page, watch);
    page.text
}

fn about_the_program(page: &mut Exposition, gauges: &Gauges) {
    page.gauge("holdfast_build_info", "Always 1; the version is its label.");
    page.sample("holdfast_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let flag = |page: &mut Exposition, name, help, is: bool| page.one(name, help, u8::from(is));
    flag(page, "holdfast_trial", "1 while all providers share one disk: nothing survives its death.", gauges.trial);
    flag(
        page,
        "holdfast_clocks_agree",
        "0 while wall clock and monotonic clock disagree: nothing is destroyed then.",
        gauges.clocks_agree,
    );
    flag(
        page,
        "holdfast_superseded",
        "1 once another life of this cluster was seen: nothing is written any more.",
        gauges.superseded,
    );
}

fn about_what_is_kept(page: &mut Exposition, gauges: &Gauges) {
    let kinds = [("packs", &gauges.packs), ("records", &gauges.records)];
    let counted = || kinds.into_iter().filter_map(|(kind, counted)| counted.as_ref().map(|counted| (kind, counted)));
    let mut kept = |name, help, value: fn(&Tally) -> u64| {
        page.gauge(name, help);
        for (kind, counted) in counted() {
            page.sample(name, &[("kind", kind)], value(&counted.count.tally));
        }
    };
    kept("holdfast_kept", "Packs of files, and records: copied objects with names, keys and journal.", |t| t.total);
    kept("holdfast_unreadable", "Of these, that cannot be read now.", |tally| tally.unreadable);
    kept("holdfast_below_safe", "Of these, that the loss of one provider may end, or that are gone.", |t| t.below_safe);
    kept("holdfast_below_settled", "Of these, that are not settled.", |tally| tally.below_settled);
    page.gauge("holdfast_by_margin", "Of these, by how many providers may go, whichever they are.");
    for (kind, counted) in counted() {
        for (margin, count) in counted.count.tally.margins.iter().enumerate() {
            page.sample("holdfast_by_margin", &[("kind", kind), ("margin", &margin.to_string())], count);
        }
    }
    page.gauge(
        "holdfast_least_margin",
        "How many providers may go now, for what has least; -1: something is unreadable.",
    );
    for (kind, counted) in counted() {
        if let Some(margin) = counted.count.margins.now() {
            page.sample("holdfast_least_margin", &[("kind", kind)], margin);
        }
    }
    page.gauge("holdfast_shards", "Shards and copies that count.");
    counted().for_each(|(kind, counted)| page.sample("holdfast_shards", &[("kind", kind)], counted.count.shards));
    page.gauge("holdfast_shards_never_verified", "Of these, never read back since they were written.");
    for (kind, counted) in counted() {
        page.sample("holdfast_shards_never_verified", &[("kind", kind)], counted.count.never_verified);
    }
    let name = "holdfast_oldest_unverified_shard_seconds";
    page.gauge(name, "Seconds since the shard was read back that was not read for longest.");
    for (kind, counted) in counted() {
        let age_us = counted.count.oldest_verified_us.map_or(0, |us| gauges.now_us.saturating_sub(us).max(0));
        page.sample(name, &[("kind", kind)], age_us / 1_000_000);
    }
    page.gauge(
        "holdfast_count_age_seconds",
        "Seconds since all of a kind were counted: how old the numbers above are.",
    );
    counted().for_each(|(kind, counted)| page.sample("holdfast_count_age_seconds", &[("kind", kind)], counted.age_s));
}

fn about_upkeep(page: &mut Exposition, gauges: &Gauges) {
    page.one(
        "holdfast_repair_backlog_bytes",
        "Bytes of shards and copies to be made until all is settled.",
        gauges.backlog_bytes(),
    );
    let seconds = gauges.backlog_s.map_or_else(|| "+Inf".to_owned(), |s| s.to_string());
    let help = "Seconds that repair takes for its backlog at its rate so far; +Inf while nothing was repaired yet.";
    page.one("holdfast_repair_backlog_seconds", help, seconds);
    page.counter("holdfast_repaired_bytes_total", "Bytes of new shards and copies that repair wrote since the start.");
    page.sample("holdfast_repaired_bytes_total", &[], gauges.repaired_bytes);
    page.one("holdfast_findings", "What upkeep could not do; `holdfast fleet` says what.", gauges.findings);
    page.gauge("holdfast_upkeep_age_seconds", "Seconds since a round of upkeep ended. A long repair is one round.");
    if let Some(age_s) = gauges.upkeep_age_s {
        page.sample("holdfast_upkeep_age_seconds", &[], age_s);
    }
    page.one("holdfast_unpacked_files", "Small files that wait in the journal to be packed.", gauges.unpacked_files);
    page.one("holdfast_kits_untested", "Recovery kits that nobody has tested.", gauges.kits_untested);
}

fn about_providers(page: &mut Exposition, gauges: &Gauges) {
    let name = "holdfast_margin";
    page.gauge(
        name,
        "How many more providers may go once this one is gone, for what has least; -1: something would be lost with it.",
    );
    for provider in &gauges.providers {
        if let Some(margin) = provider.margin {
            page.sample(name, &[("provider", &provider.name)], margin);
        }
    }
    page.gauge("holdfast_provider_up", "1 while one of the provider's targets is up.");
    for provider in &gauges.providers {
        let up = provider.targets.iter().any(|target| target.state == TargetState::Up);
        page.sample("holdfast_provider_up", &[("provider", &provider.name)], u8::from(up));
    }
}

fn about_targets(page: &mut Exposition, gauges: &Gauges) {
    let targets: Vec<_> = gauges
        .providers
        .iter()
        .flat_map(|provider| provider.targets.iter().map(move |target| (provider.name.as_str(), target)))
        .map(|(provider, target)| (provider, target.id.to_string().chars().take(ID_DIGITS).collect::<String>(), target))
        .collect();
    page.gauge("holdfast_target_up", "1 while the target answers as itself; its state is a label.");
    for (provider, id, target) in &targets {
        let labels = [("provider", *provider), ("target", id), ("state", state_word(target.state))];
        page.sample("holdfast_target_up", &labels, u8::from(target.state == TargetState::Up));
    }
    page.gauge("holdfast_target_free_bytes", "Room at the target, where it can tell.");
    for (provider, id, target) in &targets {
        if let Some(free_bytes) = target.free_bytes {
            page.sample("holdfast_target_free_bytes", &[("provider", provider), ("target", id)], free_bytes);
        }
    }
    let mut calls = Vec::new();
    for (provider, id, target) in &targets {
        for (verb, counts) in &target.calls {
            calls.push(([("provider", *provider), ("target", id.as_str()), ("verb", verb.name())], counts));
        }
    }
    page.counter("holdfast_target_requests_total", "Calls to the target since the start, every try counted.");
    calls.iter().for_each(|(labels, counts)| page.sample("holdfast_target_requests_total", labels, counts.calls));
    page.counter("holdfast_target_errors_total", "Of these, that ended with an error.");
    calls.iter().for_each(|(labels, counts)| page.sample("holdfast_target_errors_total", labels, counts.errors));
    page.counter("holdfast_target_bytes_total", "Bytes of content that calls sent there or brought from there.");
    calls.iter().for_each(|(labels, counts)| page.sample("holdfast_target_bytes_total", labels, counts.bytes));
    page.family("holdfast_target_request_seconds", "histogram", "How long calls to the target took.");
    calls.iter().for_each(|(labels, counts)| page.steps("holdfast_target_request_seconds", labels, &counts.latency));
}

fn about_doors(page: &mut Exposition, watch: &Watch) {
    let (connections, under_way) = watch.open();
    page.one("holdfast_connections", "Connections of clients that are open.", connections);
    page.one("holdfast_requests_under_way", "Requests whose answer has not gone out whole.", under_way);
    let doors = watch.doors();
    let mut asked = Vec::new();
    for (door, counts) in &doors {
        for (method, counts) in [("read", &counts.read), ("change", &counts.change)] {
            if counts.latency.calls() > 0 {
                asked.push(([("door", door.as_str()), ("method", method)], counts));
            }
        }
    }
    page.counter("holdfast_door_requests_total", "Requests by door, whether they only read, and class of the answer.");
    for ([door, method], asked) in &asked {
        for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(asked.answers) {
            if count > 0 || class == "2xx" || class == "5xx" {
                page.sample("holdfast_door_requests_total", &[*door, *method, ("status", class)], count);
            }
        }
    }
    page.counter("holdfast_door_bytes_total", "Bytes of answers that went out.");
    asked.iter().for_each(|(labels, asked)| page.sample("holdfast_door_bytes_total", labels, asked.out_bytes));
    page.family("holdfast_door_request_seconds", "histogram", "Time until the head of an answer was there.");
    asked.iter().for_each(|(labels, asked)| page.steps("holdfast_door_request_seconds", labels, &asked.latency));
}

fn about_certificates(page: &mut Exposition, watch: &Watch) {
    let certificates = watch.certificates();
    page.counter("holdfast_certificate_failures_total", "How often another certificate was wanted and not got.");
    let failures = certificates.map_or(0, |certificates| certificates.failures().0);
    page.sample("holdfast_certificate_failures_total", &[], failures);
    let name = "holdfast_certificate_expires_timestamp_seconds";
    page.gauge(
        name,
        "When the certificate that is shown ends, in seconds since 1970; left out where a proxy ends TLS.",
    );
    if let Some(about) = certificates.and_then(|certificates| certificates.about()) {
        page.sample(name, &[], about.until_s);
    }
}

fn state_word(state: TargetState) -> &'static str {
    match state {
        TargetState::Up => "up",
        TargetState::Down => "down",
        TargetState::Suspect => "suspect",
        TargetState::Lost => "lost",
        TargetState::Retired => "retired",
    }
}

/// The page as it grows.
#[derive(Default)]
struct Exposition {
    text: String,
}

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.family(name, "gauge", help);
    }

    fn counter(&mut self, name: &str, help: &str) {
        self.family(name, "counter", help);
    }

    /// A gauge without labels.
    fn one(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauge(name, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"", if index == 0 { '{' } else { ',' });
            value.chars().for_each(|c| match c {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            });
            self.text.push('"');
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A histogram's samples: each step counts what is in the steps before it, too.
    fn steps(&mut self, name: &str, labels: &[(&str, &str)], latency: &Latency) {
        let mut sum = 0;
        for (index, count) in latency.counts.iter().enumerate() {
            sum += count;
            let end = STEPS_US.get(index).map_or_else(|| "+Inf".to_owned(), |us| seconds(*us));
            let all = [labels, &[("le", &end)]].concat();
            self.sample(&format!("{name}_bucket"), &all, sum);
        }
        self.sample(&format!("{name}_sum"), labels, seconds(latency.total_us));
        self.sample(&format!("{name}_count"), labels, sum);
    }
}

/// Microseconds as seconds, to the last digit that says something.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use model::latency::Latency;

    use super::Exposition;

    #[test]
    fn what_an_operator_named_cannot_break_out_of_its_label() {
        let mut page = Exposition::default();
        page.sample("m", &[("provider", "a \"b\" \\ c\nd"), ("x", "y")], 1);
        assert_eq!(page.text, "m{provider=\"a \\\"b\\\" \\\\ c\\nd\",x=\"y\"} 1\n");
    }

    #[test]
    fn steps_are_cumulative_and_end_with_all() {
        let mut latency = Latency::default();
        [500, 20_000, 90_000_000].into_iter().for_each(|us| latency.note(us));
        let mut page = Exposition::default();
        page.steps("m", &[("a", "b")], &latency);
        for line in [
            "m_bucket{a=\"b\",le=\"0.001\"} 1\n",
            "m_bucket{a=\"b\",le=\"0.025\"} 2\n",
            "m_bucket{a=\"b\",le=\"60\"} 2\n",
            "m_bucket{a=\"b\",le=\"+Inf\"} 3\n",
            "m_sum{a=\"b\"} 90.0205\n",
            "m_count{a=\"b\"} 3\n",
        ] {
            assert!(page.text.contains(line), "{line} in {}", page.text);
        }
    }
}
