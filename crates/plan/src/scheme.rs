//! Which scheme fits how many providers, and how many parity lanes k data lanes need there.
//!
//! A scheme is judged by its worst provider: k + m lanes spread as evenly as can be put ⌈(k + m) / p⌉ lanes at one of p
//! providers, and what is left without it must still be k lanes (*safe*) or k + 1 (*settled*). Counting shards instead
//! of providers is the classic mistake: 4+2 over three providers has two parity lanes and no margin at all.
//!
//! *Parity is elastic*: k is fixed when a pack is written, m is whatever the aim needs on the providers that are
//! healthy now. So a scheme is a wish ([`scheme_now`] raises its m), and repair adds parity lanes when fewer providers
//! are left.

use model::{Scheme, units::CELL_BYTES};

use crate::error::{Error, Shortage};

/// What a placement must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Aim {
    /// Any one provider may go. Only *economy* schemes aim so low, and are shown as such.
    Safe,
    /// Any one provider may go, and then any one shard.
    #[default]
    Settled,
}

impl Aim {
    /// Lanes that must be left beyond k when a provider is gone.
    pub const fn spare_lanes(self) -> usize {
        match self {
            Self::Safe => 0,
            Self::Settled => 1,
        }
    }
}

impl std::fmt::Display for Aim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Safe => "safe",
            Self::Settled => "settled",
        })
    }
}

/// The most providers that one pack spreads over: beyond seven, packs lie on sets of seven, so that the loss of many
/// providers meets few packs.
pub const PROVIDERS_PER_PACK_MAX: usize = 7;

/// By number of providers, none below two, the last row for as many as there are; the default of each row first.
const OFFERED: [&[Scheme]; 8] = [
    &[],
    &[],
    &[Scheme::new(4, 6)],
    &[Scheme::new(5, 4), Scheme::new(7, 5)],
    &[Scheme::new(5, 3), Scheme::new(8, 4)],
    &[Scheme::new(7, 3)],
    &[Scheme::new(4, 2), Scheme::new(9, 3), Scheme::new(12, 6)],
    &[Scheme::new(10, 4)],
];

/// Likewise, but safe only: for those who ask for economy by name.
const ECONOMY: [&[Scheme]; 8] = [
    &[],
    &[],
    &[Scheme::new(4, 4)],
    &[Scheme::new(4, 2)],
    &[Scheme::new(6, 2)],
    &[Scheme::new(8, 2)],
    &[Scheme::new(5, 1), Scheme::new(10, 2)],
    &[Scheme::new(6, 1), Scheme::new(12, 2)],
];

/// The schemes offered on so many healthy providers, the default first; none below two.
pub fn offered(providers: usize) -> &'static [Scheme] {
    OFFERED[providers.min(PROVIDERS_PER_PACK_MAX)]
}

/// The scheme for so many healthy providers when nothing else is asked for.
///
/// # Errors
/// [`Error::TooFewProviders`] below two.
pub fn default_scheme(providers: usize) -> Result<Scheme, Error> {
    offered(providers).first().copied().ok_or(too_few(providers))
}

/// Economy schemes on so many healthy providers: safe, never settled.
pub fn economy(providers: usize) -> &'static [Scheme] {
    ECONOMY[providers.min(PROVIDERS_PER_PACK_MAX)]
}

/// A scheme and what it is chosen to reach: `default`, `4+2`, `economy 5+1`.
///
/// # Errors
/// [`Error::BadSchemeName`] for another text, [`Error::NotOffered`] for a scheme that does not reach its aim on so many
/// providers, [`Error::TooFewProviders`] below two.
pub fn choose(name: &str, providers: usize) -> Result<(Scheme, Aim), Error> {
    if name == "default" {
        return Ok((default_scheme(providers)?, Aim::Settled));
    }
    let (aim, text) = match name.strip_prefix("economy ") {
        Some(rest) => (Aim::Safe, rest),
        None => (Aim::Settled, name),
    };
    let bad = || Error::BadSchemeName { text: name.to_owned() };
    let (k, m) = text.split_once('+').ok_or_else(bad)?;
    let (k, m): (u8, u8) = (k.parse().map_err(|_| bad())?, m.parse().map_err(|_| bad())?);
    if k == 0 || k.checked_add(m).is_none_or(|lanes| lanes > Scheme::LANES_MAX) {
        return Err(bad());
    }
    let scheme = Scheme::new(k, m);
    if providers < 2 {
        return Err(too_few(providers));
    }
    if !reaches(scheme, providers, aim) {
        let list = if aim == Aim::Safe { economy(providers) } else { offered(providers) };
        let offered = list.iter().map(Scheme::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::NotOffered { scheme, aim, providers, offered });
    }
    Ok((scheme, aim))
}

/// The fewest parity lanes that bring k data lanes to `aim` when spread evenly over so many providers; k + m ≤ 32.
///
/// # Errors
/// [`Error::TooFewProviders`] below two: then no number of lanes is safe. [`Error::TooManyLanes`] when it would take
/// more than 32 lanes.
pub fn parity_for(k: u8, providers: usize, aim: Aim) -> Result<u8, Error> {
    if providers < 2 {
        return Err(too_few(providers));
    }
    let most = Scheme::LANES_MAX.saturating_sub(k);
    let enough = (0..=most).find(|m| reaches(Scheme::new(k, *m), providers, aim));
    enough.ok_or(Error::TooManyLanes { k, aim, providers })
}

/// The most memory that one transfer takes while it writes a pack, in whatever scheme.
pub const TRANSFER_BYTES_MAX: u64 = 16 << 20;

/// Bytes that a transfer holds while it writes a pack of `scheme`: the parity cells of the column that is being filled,
/// for each lane one piece that waits and one that is written, and the piece that is being sealed.
pub fn window_bytes(scheme: Scheme, cell_bytes: u64, piece_bytes: u64) -> u64 {
    u64::from(scheme.m) * cell_bytes + (2 * u64::from(scheme.lanes()) + 1) * piece_bytes
}

/// `wish` with as much more parity as `aim` needs on so many healthy providers; never with less.
///
/// A wide scheme on few providers needs so much parity that a transfer would outgrow [`TRANSFER_BYTES_MAX`] (12+6 on two
/// providers is 12+14): packs written there get the scheme that is made for so few. Packs that lie there already keep
/// their k, which repair knows how to serve.
///
/// # Errors
/// As [`parity_for`].
pub fn scheme_now(wish: Scheme, providers: usize, aim: Aim) -> Result<Scheme, Error> {
    let per_pack = providers.min(PROVIDERS_PER_PACK_MAX);
    let raised = |wish: Scheme| Ok(Scheme::new(wish.k, wish.m.max(parity_for(wish.k, per_pack, aim)?)));
    let fits = |scheme: &Scheme| window_bytes(*scheme, CELL_BYTES, CELL_BYTES / 4) <= TRANSFER_BYTES_MAX;
    match raised(wish) {
        Ok(scheme) if fits(&scheme) => Ok(scheme),
        Ok(_) | Err(Error::TooManyLanes { .. }) => raised(default_scheme(providers)?),
        Err(error) => Err(error),
    }
}

/// Whether a scheme, spread evenly over so many providers, reaches the aim.
pub fn reaches(scheme: Scheme, providers: usize, aim: Aim) -> bool {
    let lanes = usize::from(scheme.lanes());
    providers >= 2 && lanes - lanes.div_ceil(providers) >= usize::from(scheme.k) + aim.spare_lanes()
}

/// How many providers a pack of this scheme can lose when it is spread evenly over so many.
pub fn margin_of(scheme: Scheme, providers: usize) -> usize {
    let lanes = usize::from(scheme.lanes());
    if providers == 0 || lanes == 0 {
        return 0;
    }
    // The first `lanes % providers` providers hold one lane more than the others: the worst loss takes those first.
    let lost = |gone: usize| gone * (lanes / providers) + gone.min(lanes % providers);
    (0..providers).take_while(|gone| lanes - lost(*gone) >= usize::from(scheme.k)).last().unwrap_or(0)
}

/// Copies that a copied object wants at as many providers: max(3, t + 1), where t is how many providers a pack of the
/// current scheme can lose, so that names and keys never go before bytes. On two providers: four, two at each.
///
/// # Errors
/// [`Error::TooFewProviders`] below two.
pub fn copies_for(scheme: Scheme, providers: usize) -> Result<usize, Error> {
    match providers {
        0 | 1 => Err(too_few(providers)),
        2 => Ok(4),
        _ => Ok((margin_of(scheme, providers.min(PROVIDERS_PER_PACK_MAX)) + 1).max(3).min(providers)),
    }
}

fn too_few(providers: usize) -> Error {
    Error::TooFewProviders { shortage: Shortage { open: providers, ..Shortage::default() } }
}

#[cfg(test)]
mod tests {
    use model::{Class, Scheme};

    use super::{
        Aim, TRANSFER_BYTES_MAX, choose, copies_for, default_scheme, economy, margin_of, offered, parity_for, reaches,
        scheme_now, window_bytes,
    };

    #[test]
    fn every_offered_scheme_is_settled_and_every_economy_scheme_only_safe() {
        for providers in 2..=12 {
            for scheme in offered(providers) {
                assert!(reaches(*scheme, providers.min(7), Aim::Settled), "{scheme} on {providers}");
            }
            for scheme in economy(providers) {
                assert!(reaches(*scheme, providers.min(7), Aim::Safe), "{scheme} on {providers}");
                assert!(!reaches(*scheme, providers.min(7), Aim::Settled), "{scheme} on {providers}");
            }
        }
    }

    #[test]
    fn parity_grows_as_providers_go() {
        for (providers, m) in [(7, 2), (6, 2), (5, 3), (4, 3), (3, 4), (2, 6)] {
            assert_eq!(parity_for(4, providers, Aim::Settled), Ok(m), "{providers}");
        }
    }

    #[test]
    fn parity_is_the_fewest() {
        for (k, providers, aim) in
            (1..=24).flat_map(|k| (2..=9).flat_map(move |p| [(k, p, Aim::Safe), (k, p, Aim::Settled)]))
        {
            if let Ok(m) = parity_for(k, providers, aim) {
                assert!(reaches(Scheme::new(k, m), providers, aim), "{k} on {providers}");
                assert!(m == 0 || !reaches(Scheme::new(k, m - 1), providers, aim), "{k}+{m} on {providers}");
            } else {
                assert!(!reaches(Scheme::new(k, 32 - k), providers, aim), "{k} on {providers}");
            }
        }
    }

    #[test]
    fn one_provider_is_refused_with_advice() {
        for result in [
            parity_for(4, 1, Aim::Safe).map(|_| ()),
            default_scheme(1).map(|_| ()),
            copies_for(Scheme::new(4, 2), 1).map(|_| ()),
        ] {
            let error = result.expect_err("one provider cannot be safe");
            assert_eq!(error.class(), Class::Refused);
            assert!(error.to_string().contains("second provider"), "{error}");
        }
    }

    #[test]
    fn a_wish_keeps_its_parity_and_gets_more_when_needed() {
        let wish = Scheme::new(12, 6);
        for (providers, k, m) in [(7, 12, 6), (6, 12, 6), (5, 12, 6), (4, 12, 6), (3, 5, 4), (2, 4, 6)] {
            assert_eq!(scheme_now(wish, providers, Aim::Settled), Ok(Scheme::new(k, m)), "{providers}");
        }
        assert!(scheme_now(wish, 1, Aim::Settled).is_err());
    }

    #[test]
    fn whatever_is_offered_and_however_few_are_left_a_transfer_stays_small() {
        let asked = (2..=12).flat_map(|providers| offered(providers).iter().chain(economy(providers)));
        for wish in asked.copied().chain([Scheme::new(24, 8), Scheme::new(1, 31)]) {
            for providers in 2..=12 {
                let scheme = scheme_now(wish, providers, Aim::Settled).expect("two providers are enough");
                assert!(reaches(scheme, providers.min(7), Aim::Settled), "{wish} on {providers}: {scheme}");
                let bytes = window_bytes(scheme, 1 << 20, 256 << 10);
                assert!(bytes <= TRANSFER_BYTES_MAX, "{wish} on {providers}: {scheme} takes {bytes}");
            }
        }
    }

    #[test]
    fn margins_and_copies() {
        for (k, m, providers, margin, copies) in [
            (4, 2, 6, 2, 3),
            (12, 6, 6, 2, 3),
            (10, 4, 7, 2, 3),
            (5, 4, 3, 1, 3),
            (4, 6, 2, 1, 4),
            (4, 6, 5, 3, 4),
            (2, 5, 7, 5, 6),
        ] {
            let scheme = Scheme::new(k, m);
            assert_eq!(margin_of(scheme, providers), margin, "{scheme} on {providers}");
            assert_eq!(copies_for(scheme, providers), Ok(copies), "{scheme} on {providers}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(choose("default", 3), Ok((Scheme::new(5, 4), Aim::Settled)));
        assert_eq!(choose("9+3", 6), Ok((Scheme::new(9, 3), Aim::Settled)));
        assert_eq!(choose("economy 5+1", 6), Ok((Scheme::new(5, 1), Aim::Safe)));
        let error = choose("4+2", 3).expect_err("no margin on three");
        assert_eq!(error.to_string(), "4+2 is not settled on 3 providers; choose one of: 5+4, 7+5");
        for text in ["", "4", "4+", "+2", "0+2", "4+2+1", "30+3", "255+1", "economy"] {
            assert_eq!(choose(text, 6).expect_err(text).class(), Class::Refused);
        }
    }
}
