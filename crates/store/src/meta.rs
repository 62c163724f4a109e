//! Names of the numbers that the catalogue keeps for the store.

pub(crate) const CLUSTER: &str = "cluster";
pub(crate) const EPOCH: &str = "epoch";
/// Raised at each start: the upper half of journal stamps, and what markers carry.
pub(crate) const GENERATION: &str = "generation";
pub(crate) const SERVICE_TIME: &str = "service_time_s";
pub(crate) const JOURNAL_SEQ: &str = "journal_seq";
pub(crate) const JOURNAL_PREV: &str = "journal_prev";
/// Set while a rebuild's targets have not all been read: nothing is reclaimed.
pub(crate) const REBUILT_WITHOUT: &str = "rebuilt_without";
/// When the last operator's kit was made (8 bytes, microseconds since 1970), and what it held (a hash).
pub(crate) const OPERATOR_KIT: &str = "operator_kit";
/// The frontier of the tree over the ledger, as of the last checkpoint; and how many entries that one signs.
pub(crate) const LEDGER_TREE: &str = "ledger_tree";
pub(crate) const LEDGER_CHECKPOINT: &str = "ledger_checkpoint";
/// Set once the fleet was changed by command: no file is asked any more who belongs to it.
pub(crate) const FLEET_KEPT: &str = "fleet_kept";
/// What staged changes are applied by, and a hash over what they rest on.
pub(crate) const STAGE_NUMBER: &str = "stage_number";
pub(crate) const STAGE_GROUND: &str = "stage_ground";
/// Followed by an account: set once its key was destroyed, so that nothing of it is looked for at every start.
pub(crate) const DESTROYED: &str = "key_destroyed ";
