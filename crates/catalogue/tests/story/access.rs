//! Sign-ins, tokens, links: journalled. Sessions: here only.

use crate::world::{TOP, World};
use catalogue::{access, access::Session, apply, export, shares, shown};
use model::{
    Change, Scope,
    about::{AboutRow, Logo, Quick, SignUp},
    account::{Leaving, LimitsRow, Role, SecondFactor, SignInRow, TokenRow, TokenScope, TokenUse},
    id::{AccountId, EntryId, GrantId, ReportId, ShareId, TokenId},
    share::{GrantRow, Reason, ReportRow, ShareRow},
    units::ServiceTime,
};

fn token(id: u8, account: AccountId, opens: TokenUse) -> TokenRow {
    let id = TokenId([id; 16]);
    let label = "a label".to_owned();
    TokenRow { id, hash: [id.0[0]; 32], account, opens, label, made_us: 1, expires_us: Some(2), ended_us: None }
}

pub fn what_opens_an_account_comes_back_as_it_was_said(world: &mut World) {
    let account = world.account;
    assert!(!world.read(|tx| access::is_claimed(tx)));
    let password = Some("$argon2id$v=19$x".to_owned());
    let leaving = Some(Leaving { at: ServiceTime(3), wall_us: 4 });
    let second = Some(SecondFactor { secret: [6; 20], since_us: 8, codes: vec![[1; 32], [2; 32]] });
    let sign_in =
        SignInRow { account, role: Role::Operator, password, suspended_us: None, changed_us: 4, second, leaving };
    let uses = [
        TokenUse::Access(TokenScope::All),
        TokenUse::Invitation(Role::User),
        TokenUse::Invitation(Role::Operator),
        TokenUse::Reset,
        TokenUse::Access(TokenScope::Read),
        TokenUse::Access(TokenScope::Files),
    ];
    let tokens: Vec<_> = (1..).zip(uses).map(|(id, opens)| token(id, account, opens)).collect();
    let ended = TokenRow { ended_us: Some(9), ..token(9, account, TokenUse::Reset) };
    let limits = LimitsRow { account, space_bytes: Some(5 << 30), plan: Some("Family".to_owned()) };
    let mut changes = vec![Change::SignIn(sign_in.clone()), Change::Limits(limits.clone())];
    changes.extend(tokens.iter().chain([&ended]).cloned().map(Change::Token));
    world.cluster(changes);
    assert!(world.read(|tx| access::is_claimed(tx)));
    assert_eq!(world.read(move |tx| access::sign_in(tx, account)), Some(sign_in.clone()));
    assert_eq!(world.read(move |tx| catalogue::limits::of(tx, account)), limits);
    assert_eq!(world.read(move |tx| access::tokens(tx, account)), tokens);
    assert_eq!(world.read(|tx| access::token_by_hash(tx, &[9; 32])), Some(ended.clone()));

    let (file, _) = world.file(TOP, "a file", 5);
    let share = ShareRow {
        id: ShareId([1; 16]),
        entry: file.id,
        code: [7; 16],
        password: None,
        expires_us: Some(5),
        downloads_max: Some(3),
        downloads: 1,
        made_us: 2,
        ended_us: None,
        receives: true,
        words: "photos".to_owned(),
        off_us: Some(7),
    };
    let over =
        ShareRow { id: ShareId([2; 16]), code: [8; 16], downloads_max: None, ended_us: Some(6), ..share.clone() };
    world.change(vec![Change::Share(share.clone()), Change::Share(over.clone())]);
    assert_eq!(world.read(|tx| shares::by_code(tx, &[7; 16])), Some((account, share.clone())));
    assert_eq!(world.read(|tx| shares::by_code(tx, &[8; 16])), Some((account, over.clone())));
    assert_eq!(world.read(move |tx| shares::all(tx, account)), std::slice::from_ref(&share));

    // What an older revision says is too late, and all of it is among what snapshots are made from.
    let older = Change::SignIn(SignInRow { role: Role::User, ..sign_in.clone() });
    world.write(move |tx| apply(tx, Scope::Cluster, 1, &older)).unwrap();
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    let mut wanted = vec![
        Change::SignIn(sign_in),
        Change::Limits(limits),
        Change::Token(ended),
        Change::Share(share),
        Change::Share(over),
    ];
    wanted.extend(tokens.into_iter().map(Change::Token));
    assert!(wanted.iter().all(|change| told.contains(change)), "{told:?}");
}

pub fn what_others_see_comes_back_as_it_was_said(world: &mut World) {
    let (account, to) = (world.account, AccountId([9; 16]));
    assert_eq!(world.read(|tx| shown::about(tx)), AboutRow::default());
    let grant = |id: u8, writes, ended_us| GrantRow {
        id: GrantId([id; 16]),
        entry: EntryId([5; 16]),
        to,
        writes,
        made_us: i64::from(id),
        ended_us,
    };
    let grants = [grant(1, false, None), grant(2, true, None), grant(3, true, Some(5))];
    world.change(grants.iter().cloned().map(Change::Grant).collect());
    let wanted = [grants[1].clone(), grants[0].clone()];
    assert_eq!(world.read(move |tx| shown::grants(tx, account)), wanted);
    assert_eq!(world.read(move |tx| shown::grants_to(tx, to)), wanted.clone().map(|row| (account, row)));
    assert_eq!(world.read(move |tx| shown::grants_to(tx, account)), []);
    assert_eq!(world.read(move |tx| shown::grant(tx, account, GrantId([3; 16]))), Some(grants[2].clone()));

    let report = |id: u8, settled_us| ReportRow {
        id: ReportId([id; 16]),
        account,
        share: ShareId([6; 16]),
        reason: Reason::Copyright,
        words: "mine".to_owned(),
        contact: (id == 1).then(|| "me".to_owned()),
        made_us: i64::from(id),
        settled_us,
    };
    let reports = [report(1, None), report(2, None), report(3, Some(9))];
    let about = AboutRow {
        name: Some("Attic".to_owned()),
        sign_up: SignUp::Open,
        new_space_bytes: Some(5),
        colour: Some([1, 2, 3]),
        logo: Some(Logo { media_type: "image/png".to_owned(), bytes: vec![1, 2] }),
        contact: Some("c".to_owned()),
        imprint: None,
        terms: Some("t".to_owned()),
        new_plan: Some("Family".to_owned()),
        quick: Some(Quick { file_bytes: 1, days_max: 2, space_bytes: 3, bytes_per_day: 4 }),
        quick_account: Some(to),
    };
    let mut changes: Vec<_> = reports.iter().cloned().map(Change::Report).collect();
    changes.push(Change::About(about.clone()));
    world.cluster(changes);
    assert_eq!(world.read(|tx| shown::reports(tx, false, 9)), [reports[1].clone(), reports[0].clone()]);
    assert_eq!(world.read(|tx| shown::reports(tx, true, 9)), [reports[2].clone()]);
    assert_eq!(world.read(|tx| shown::open_reports(tx, ShareId([6; 16]))), (2, 2));
    assert_eq!(world.read(|tx| shown::open_reports(tx, ShareId([7; 16]))), (0, 2));
    assert_eq!(world.read(|tx| shown::about(tx)), about);

    // An older word is too late, and all of it is among what snapshots are made from.
    world.write(|tx| apply(tx, Scope::Cluster, 1, &Change::About(AboutRow::default()))).unwrap();
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    let mut wanted = vec![Change::About(about)];
    wanted.extend(grants.into_iter().map(Change::Grant).chain(reports.into_iter().map(Change::Report)));
    assert!(wanted.iter().all(|change| told.contains(change)), "{told:?}");
}

pub fn sessions_are_local_and_end(world: &mut World) {
    let account = world.account;
    let session = |id: u8, expires_us| Session {
        hash: [id; 32],
        id: TokenId([id; 16]),
        account,
        agent: "a browser".to_owned(),
        made_us: i64::from(id),
        seen_us: 1,
        expires_us,
    };
    let all = [session(1, 10), session(2, 20), session(3, 30), session(4, 40)];
    for one in all.clone() {
        world.write(move |tx| access::put_session(tx, &one)).unwrap();
    }
    let used = Session { seen_us: 7, ..all[3].clone() };
    let again = used.clone();
    assert!(world.write(move |tx| access::session_used(tx, &again)).unwrap());
    world.write(|tx| access::forget_sessions(tx, 10)).unwrap();
    assert_eq!(world.read(|tx| access::session_by_hash(tx, &[1; 32])), None);
    let over = all[0].clone();
    assert!(!world.write(move |tx| access::session_used(tx, &over)).unwrap(), "what has ended does not come back");
    assert!(world.write(move |tx| access::end_session(tx, account, TokenId([2; 16]))).unwrap());
    assert!(!world.write(move |tx| access::end_session(tx, account, TokenId([2; 16]))).unwrap());
    assert_eq!(world.read(move |tx| access::sessions(tx, account)), [all[2].clone(), used.clone()]);
    world.write(move |tx| access::end_sessions(tx, account, Some(used.id))).unwrap();
    assert_eq!(world.read(move |tx| access::sessions(tx, account)).len(), 1);
}

pub fn the_digits_of_a_step_are_used_once(world: &mut World) {
    let account = world.account;
    let used = |step, now| world.write(move |tx| access::use_second(tx, account, step, now)).unwrap();
    assert_eq!([used(7, 7), used(7, 7), used(6, 7), used(8, 7), used(8, 9)], [true, false, false, true, false]);
    assert_eq!([used(5, 5), used(5, 5)], [true, false], "a clock that was ahead shuts nobody out");
    world.write(move |tx| access::begin_second(tx, account, 2)).unwrap();
    assert_eq!([used(2, 3), used(3, 3)], [false, true], "a new secret begins anew");
}
