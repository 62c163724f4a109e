//! Names of objects at a target: what a listing alone says. Random or counted, never meaningful.
//!
//! All numbers are lower-case hex of fixed width, so that names sort as their numbers do.

use model::{
    Scope,
    id::{AccountId, MakeId, ObjectId, PackId},
};

/// The copy of the format's description that every target holds, so that a stranger can read what lies there.
pub const FORMAT_MD_NAME: &str = "format.md";

/// What a shard's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardName {
    /// The pack.
    pub pack: PackId,
    /// The lane.
    pub lane: u8,
    /// The make.
    pub make: MakeId,
}

/// What a journal object's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JournalName {
    /// The epoch it was written in.
    pub epoch: u64,
    /// Its place in the epoch's line.
    pub seq: u64,
    /// `(start << 32) | attempt`.
    pub stamp: u64,
    /// Its id.
    pub id: ObjectId,
}

/// What an envelope's name says; an address book's too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvelopeName {
    /// Whose key is in it.
    pub scope: Scope,
    /// Counts the envelopes of this scope: the highest is the one that counts.
    pub generation: u64,
    /// Its id.
    pub id: ObjectId,
}

/// `shards/<first 2 digits of pack>/<pack>.<lane, 2 decimal digits>.<make>`
pub fn shard_name(pack: PackId, lane: u8, make: MakeId) -> String {
    format!("shards/{:02x}/{pack}.{lane:02}.{make}", pack.0[0])
}

/// Reads a shard's name; `None` for any other name.
pub fn parse_shard_name(name: &str) -> Option<ShardName> {
    let rest = name.strip_prefix("shards/")?;
    let (folder, file) = rest.split_once('/')?;
    let mut words = file.split('.');
    let pack = PackId::parse(words.next()?).ok()?;
    let lane = words.next()?;
    let make = MakeId::parse(words.next()?).ok()?;
    let digits = lane.len() == 2 && lane.bytes().all(|byte| byte.is_ascii_digit());
    let found = ShardName { pack, lane: lane.parse().ok()?, make };
    (digits && words.next().is_none() && folder == format!("{:02x}", pack.0[0])).then_some(found)
}

/// `journal/<epoch>/<seq>-<stamp>-<id>`
pub fn journal_name(epoch: u64, seq: u64, stamp: u64, id: ObjectId) -> String {
    format!("journal/{epoch:016x}/{seq:016x}-{stamp:016x}-{id}")
}

/// Reads a journal object's name; `None` for any other name.
pub fn parse_journal_name(name: &str) -> Option<JournalName> {
    let (epoch, file) = name.strip_prefix("journal/")?.split_once('/')?;
    let [seq, stamp, id] = words(file)?;
    Some(JournalName { epoch: number(epoch)?, seq: number(seq)?, stamp: number(stamp)?, id: ObjectId::parse(id).ok()? })
}

/// `envelopes/<account, or "cluster">/<generation>-<id>`
pub fn envelope_name(scope: Scope, generation: u64, id: ObjectId) -> String {
    format!("envelopes/{}/{generation:016x}-{id}", scope_word(scope))
}

/// Reads an envelope's name; `None` for any other name.
pub fn parse_envelope_name(name: &str) -> Option<EnvelopeName> {
    let (scope, file) = name.strip_prefix("envelopes/")?.split_once('/')?;
    let [generation, id] = words(file)?;
    let (generation, id) = (number(generation)?, ObjectId::parse(id).ok()?);
    Some(EnvelopeName { scope: parse_scope_word(scope)?, generation, id })
}

/// `addresses/<account>/<generation>-<id>`
pub fn address_book_name(account: AccountId, generation: u64, id: ObjectId) -> String {
    format!("addresses/{account}/{generation:016x}-{id}")
}

/// Reads an address book's name; `None` for any other name.
pub fn parse_address_book_name(name: &str) -> Option<EnvelopeName> {
    let (account, file) = name.strip_prefix("addresses/")?.split_once('/')?;
    let [generation, id] = words(file)?;
    let scope = Scope::Account(AccountId::parse(account).ok()?);
    Some(EnvelopeName { scope, generation: number(generation)?, id: ObjectId::parse(id).ok()? })
}

/// What the name of a checkpoint of the ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckpointName {
    /// How many entries it signs.
    pub size: u64,
    /// Its id.
    pub id: ObjectId,
}

/// `ledger/<size>-<object>`
pub fn checkpoint_name(size: u64, id: ObjectId) -> String {
    format!("ledger/{size:016x}-{id}")
}

/// Reads a checkpoint's name; `None` for any other name.
pub fn parse_checkpoint_name(name: &str) -> Option<CheckpointName> {
    let [size, id] = words(name.strip_prefix("ledger/")?)?;
    Some(CheckpointName { size: number(size)?, id: ObjectId::parse(id).ok()? })
}

/// An account's id, or `cluster`.
pub(crate) fn scope_word(scope: Scope) -> String {
    match scope {
        Scope::Cluster => "cluster".to_owned(),
        Scope::Account(id) => id.to_string(),
    }
}

pub(crate) fn parse_scope_word(word: &str) -> Option<Scope> {
    if word == "cluster" { Some(Scope::Cluster) } else { AccountId::parse(word).ok().map(Scope::Account) }
}

/// Splits at `-` into exactly N words.
pub(crate) fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut all = text.split('-');
    let mut found = [""; N];
    for word in &mut found {
        *word = all.next()?;
    }
    all.next().is_none().then_some(found)
}

/// Reads 16 lower-case hex digits.
pub(crate) fn number(text: &str) -> Option<u64> {
    hex_digits(text, 16)
}

/// Reads exactly `count` lower-case hex digits.
pub(crate) fn hex_digits(text: &str, count: usize) -> Option<u64> {
    let right = text.len() == count && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if right { u64::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use model::{
        Scope,
        id::{AccountId, MakeId, ObjectId, PackId},
    };

    use super::{
        CheckpointName, EnvelopeName, JournalName, ShardName, address_book_name, checkpoint_name, envelope_name,
        journal_name, parse_address_book_name, parse_checkpoint_name, parse_envelope_name, parse_journal_name,
        parse_shard_name, shard_name,
    };

    const ID: ObjectId = ObjectId([0xd2; 16]);

    #[test]
    fn names_read_back() {
        let (pack, make) = (PackId([0x5a; 16]), MakeId([0x60; 16]));
        let name = shard_name(pack, 7, make);
        assert_eq!(name, format!("shards/5a/{}.07.{}", "5a".repeat(16), "60".repeat(16)));
        assert_eq!(parse_shard_name(&name), Some(ShardName { pack, lane: 7, make }));
        let (epoch, seq, stamp) = (1, 0xabc, (3 << 32) | 2);
        let name = journal_name(epoch, seq, stamp, ID);
        assert_eq!(name, format!("journal/0000000000000001/0000000000000abc-0000000300000002-{ID}"));
        assert_eq!(parse_journal_name(&name), Some(JournalName { epoch, seq, stamp, id: ID }));
        for scope in [Scope::Cluster, Scope::Account(AccountId([9; 16]))] {
            let name = envelope_name(scope, 5, ID);
            assert_eq!(parse_envelope_name(&name), Some(EnvelopeName { scope, generation: 5, id: ID }), "{name}");
        }
        let name = checkpoint_name(17, ID);
        assert_eq!(name, format!("ledger/0000000000000011-{ID}"));
        assert_eq!(parse_checkpoint_name(&name), Some(CheckpointName { size: 17, id: ID }));
        let account = AccountId([9; 16]);
        let found = parse_address_book_name(&address_book_name(account, 5, ID));
        assert_eq!(found, Some(EnvelopeName { scope: Scope::Account(account), generation: 5, id: ID }));
    }

    #[test]
    fn other_names_are_nobodys() {
        let pack = "5a".repeat(16);
        for name in [
            "",
            "shards/",
            &format!("shards/5b/{pack}.07.{pack}"),
            &format!("shards/5a/{pack}.7.{pack}"),
            &format!("shards/5a/{pack}.+7.{pack}"),
            &format!("shards/5a/{pack}.07.{pack}.tmp"),
            &format!("journal/1/2-3-{pack}"),
            &format!("journal/0000000000000001/000000000000000A-0000000000000001-{pack}"),
            &format!("envelopes/clusters/0000000000000001-{pack}"),
        ] {
            assert_eq!(parse_shard_name(name), None, "{name}");
            assert_eq!(parse_journal_name(name), None, "{name}");
            assert_eq!(parse_envelope_name(name), None, "{name}");
        }
    }
}
