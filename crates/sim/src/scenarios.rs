//! Seeds that once broke something. They are played in every run of the tests, each with what it found.

/// Seed, and what it found.
pub const SEEDS: &[(u64, &str)] = &[
    (6, "a journal object finished at a start did not raise its scope's revision: the next record took the same one"),
    (2, "a change finished at a start from a single copy was lost with that copy"),
    (34, "one target that did not list kept the service from starting"),
    (4, "a second copy at one provider counted as a copy at another: never settled"),
    (14, "a pack that lost all lanes to full disks was made again, empty, and acknowledged"),
    (19, "a lane that was made twice was read from its missing make only"),
    (74, "a rebuild believed the first copy of an address book, which was damaged"),
    (1_050, "a target with a bad copy was given no good one in its place"),
    (499, "a change that was replaced at a start came back in a rebuild, once what replaced it was released"),
    (346, "a journal object that nothing needed counted as a record below settled once its last copy was lost"),
    (317, "a damaged shard was moved aside before its record said so: a crash in between left it counted as good"),
];
