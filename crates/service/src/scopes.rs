//! What a token of a scope opens: one table for every door.
//!
//! Who wants a [`crate::Caller`] of a token says what the request needs ([`crate::Service::authenticate`]); a door that was
//! not thought about asks for everything, and a token of a narrower scope does not get in. A [`crate::Place`] asks once more
//! where files are changed, in the same transaction.

use model::account::TokenScope;

use crate::error::{Error, Result};

/// What a request needs its caller's token to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To look at files, to fetch them, to know whose they are.
    Look,
    /// To change files: bring, move, delete, restore.
    Change,
    /// Anything else.
    Everything,
}

/// Whether a token of this scope opens what is needed.
const fn allows(scope: TokenScope, need: Need) -> bool {
    match need {
        Need::Look => true,
        Need::Change => matches!(scope, TokenScope::Files | TokenScope::All),
        Need::Everything => matches!(scope, TokenScope::All),
    }
}

/// The same, for whoever cannot go on without.
///
/// # Errors
/// [`Error::TokenScope`].
pub(crate) const fn must_allow(scope: TokenScope, need: Need) -> Result<()> {
    if allows(scope, need) { Ok(()) } else { Err(Error::TokenScope { scope }) }
}

/// What a token of this scope may do, after "this token may".
pub(crate) const fn said(scope: TokenScope) -> &'static str {
    match scope {
        TokenScope::Read => "look at files and fetch them, and change nothing",
        TokenScope::Files => "look at files and change them, and nothing else",
        TokenScope::All => "do everything",
    }
}

#[cfg(test)]
mod tests {
    use model::account::TokenScope::{All, Files, Read};

    use super::{
        Need::{Change, Everything, Look},
        allows, must_allow,
    };

    #[test]
    fn a_scope_opens_what_it_says_and_no_more() {
        for (scope, look, change, everything) in
            [(Read, true, false, false), (Files, true, true, false), (All, true, true, true)]
        {
            let opened = [Look, Change, Everything].map(|need| allows(scope, need));
            assert_eq!(opened, [look, change, everything], "{scope:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_the_token_may_and_what_to_do() {
        for (scope, may) in [(Read, "fetch them, and change nothing"), (Files, "change them, and nothing else")] {
            let said = must_allow(scope, Everything).map_err(|error| error.to_string()).err().unwrap_or_default();
            assert!(said.contains(may) && said.contains("wider scope") && said.contains("token create"), "{said}");
        }
    }
}
