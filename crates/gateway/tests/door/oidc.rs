//! Signing in elsewhere, as a browser sees it, with an issuer that lies in every way that is known.

use std::sync::{Arc, Mutex};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use model::{
    Change, Scope,
    id::{AccountId, PasskeyId},
    ways::{IdentityRow, PasskeyRow},
    world::{BoxFuture, Clock},
};
use serde_json::{Value, json};
use service::{Errand, Issuer, Messenger, Reply, base64::url::encode};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    http::{Answer, request},
    world::World,
};

const ISSUER: &str = "https://id.example/realm";
const DOOR: &str = "/api/v1/session/oidc";

/// How the issuer behaves next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    Unsigned,
    SharedSecret,
    OtherKey,
    OtherKeySameName,
    WrongNonce,
    WrongAudience,
    SeveralAudiences,
    WrongIssuer,
    Expired,
    FromTheFuture,
    NoSubject,
    NoToken,
    Redirect,
    Page,
    Giant,
    Broken,
    /// It remembers somebody from this morning, although it is to ask them.
    Remembers,
}

struct Play {
    lie: Lie,
    key: EcdsaKeyPair,
    key_name: String,
    other: EcdsaKeyPair,
    /// Who is at its door.
    subject: String,
    claims: Value,
    /// From the address that the browser was sent to.
    nonce: String,
    challenge: String,
    /// How lately somebody is to have shown who they are, in seconds.
    max_age: Option<String>,
    now_s: i64,
    /// How often it was asked for its keys.
    keys_asked: usize,
}

/// The issuer; the way to it is a call.
#[derive(Clone)]
struct Pretender(Arc<Mutex<Play>>);

impl Pretender {
    fn new() -> Self {
        let key = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self(Arc::new(Mutex::new(Play {
            lie: Lie::None,
            key: key(),
            key_name: "first".to_owned(),
            other: key(),
            subject: "248289761001".to_owned(),
            claims: json!({ "preferred_username": "bob", "email": "bob@example.org" }),
            nonce: String::new(),
            challenge: String::new(),
            max_age: None,
            now_s: 0,
            keys_asked: 0,
        })))
    }

    fn world_issuer(&self, sign_up: bool) -> Issuer {
        Issuer {
            address: ISSUER.to_owned(),
            client: "holdfast".to_owned(),
            secret: "s&cret".to_owned(),
            name: "School login".to_owned(),
            sign_up,
        }
    }

    async fn world(&self, sign_up: bool) -> World {
        let (issuer, messenger) = (self.world_issuer(sign_up), Arc::new(self.clone()));
        World::made(gateway::server::Limits::default(), |service| service.with_issuer(issuer, messenger)).await
    }

    fn change(&self, change: impl FnOnce(&mut Play)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl Messenger for Pretender {
    fn carry(&self, errand: Errand) -> BoxFuture<'_, Result<Reply, String>> {
        let reply = self.0.lock().unwrap().answer(&errand);
        Box::pin(async move { Ok(reply) })
    }
}

impl Play {
    fn answer(&mut self, errand: &Errand) -> Reply {
        let reply = |value: Value| Reply { status: 200, body: value.to_string().into_bytes() };
        match errand.address.as_str() {
            "https://id.example/realm/.well-known/openid-configuration" => reply(json!({
                "issuer": ISSUER,
                "authorization_endpoint": "https://id.example/auth?tenant=1",
                "token_endpoint": "https://id.example/token",
                "jwks_uri": "https://id.example/keys",
            })),
            "https://id.example/keys" => {
                self.keys_asked += 1;
                let mut set = json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "shared" }, self.jwk()] });
                if self.lie == Lie::Giant {
                    set["more"] = "x".repeat(errand.bytes_max).into();
                }
                reply(set)
            }
            "https://id.example/token" => self.token(errand),
            other => panic!("{other} is no door of the issuer's"),
        }
    }

    fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.key_name, "x": encode(&point[1..33]), "y": encode(&point[33..]) })
    }

    fn token(&self, errand: &Errand) -> Reply {
        let form = errand.form.as_deref().unwrap();
        let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap();
        // Who exchanges the code is who began the try, and says who they are.
        assert_eq!(encode(digest(&SHA256, field("code_verifier").as_bytes()).as_ref()), self.challenge);
        assert_eq!((field("code"), field("grant_type")), ("a-code", "authorization_code"));
        assert_eq!(field("redirect_uri"), "http%3A%2F%2Ftest%2Fapi%2Fv1%2Fsession%2Foidc%2Fback");
        assert_eq!(errand.authorization.as_deref(), Some("Basic aG9sZGZhc3Q6cyUyNmNyZXQ="));
        assert!(!format!("{errand:?}").contains("a-code"), "what is debugged ends up in logs");
        let reply = |status, body: String| Reply { status, body: body.into_bytes() };
        match self.lie {
            Lie::Redirect => reply(302, String::new()),
            Lie::Page => reply(200, "<html>".to_owned()),
            Lie::Broken => reply(400, json!({ "error": "invalid_grant" }).to_string()),
            Lie::NoToken => reply(200, json!({ "access_token": "x" }).to_string()),
            _ => reply(
                200,
                json!({ "token_type": "Bearer", "access_token": "x", "id_token": self.signed() }).to_string(),
            ),
        }
    }

    fn signed(&self) -> String {
        let mut claims = self.claims.clone();
        claims["iss"] = ISSUER.into();
        claims["aud"] = "holdfast".into();
        claims["sub"] = self.subject.clone().into();
        claims["nonce"] = self.nonce.clone().into();
        (claims["iat"], claims["exp"]) = (json!(self.now_s), json!(self.now_s + 300));
        let asks = self.max_age.as_deref() == Some("600") && self.lie != Lie::Remembers;
        claims["auth_time"] = json!(if asks { self.now_s } else { self.now_s - 7_200 });
        let (mut algorithm, mut name) = ("ES256", self.key_name.as_str());
        match self.lie {
            Lie::Unsigned => algorithm = "none",
            Lie::SharedSecret => (algorithm, name) = ("HS256", "shared"),
            Lie::OtherKey => name = "another",
            Lie::WrongNonce => claims["nonce"] = "of another try".into(),
            Lie::WrongAudience => claims["aud"] = "somebody else".into(),
            Lie::SeveralAudiences => claims["aud"] = json!(["holdfast", "somebody else"]),
            Lie::WrongIssuer => claims["iss"] = "https://id.example/other".into(),
            Lie::Expired => claims["exp"] = json!(self.now_s - 120),
            Lie::FromTheFuture => claims["iat"] = json!(self.now_s + 120),
            Lie::NoSubject => claims["sub"] = "".into(),
            _ => {}
        }
        let head = json!({ "alg": algorithm, "kid": name, "typ": "JWT" }).to_string();
        let message = format!("{}.{}", encode(head.as_bytes()), encode(claims.to_string().as_bytes()));
        let key = if matches!(self.lie, Lie::OtherKey | Lie::OtherKeySameName) { &self.other } else { &self.key };
        let signature = match self.lie {
            Lie::Unsigned => Vec::new(),
            _ => key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
        };
        format!("{message}.{}", encode(&signature))
    }
}

/// A browser that navigates: it keeps cookies by name.
struct Surfer<'w> {
    world: &'w World,
    cookies: Vec<(String, String)>,
}

impl<'w> Surfer<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, cookies: Vec::new() }
    }

    /// With the session that another test's browser has.
    fn of(world: &'w World, browser: &Browser<'_>) -> Self {
        let (name, value) = browser.cookie.split_once('=').unwrap();
        Self { world, cookies: vec![(name.to_owned(), value.to_owned())] }
    }

    async fn go(&mut self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("Cookie", cookies.as_str())];
        all.extend_from_slice(headers);
        let mut connection = self.world.connect().await;
        connection.send(request("GET", target, &all, b"")).await;
        let answer = connection.answer(false).await;
        let set: Vec<String> = answer.all("set-cookie").map(str::to_owned).collect();
        for set in set {
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// To the issuer's door; the state. The issuer notes what it will be asked for.
    async fn leave(&mut self, issuer: &Pretender, query: &str) -> String {
        let answer = self.go(&format!("{DOOR}{query}"), &[("Sec-Fetch-Site", "same-origin")]).await;
        assert_eq!(answer.status, 302);
        self.asked(issuer, answer.header("location"))
    }

    /// At the issuer's door.
    fn asked(&self, issuer: &Pretender, address: &str) -> String {
        assert!(
            address.starts_with("https://id.example/auth?tenant=1&response_type=code&client_id=holdfast&"),
            "{address}"
        );
        let field = |name: &str| {
            let found = address.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.unwrap_or_else(|| panic!("no {name} in {address}")).to_owned()
        };
        assert_eq!(
            (field("code_challenge_method"), field("scope")),
            ("S256".to_owned(), "openid%20profile%20email".to_owned())
        );
        issuer.change(|play| (play.nonce, play.challenge) = (field("nonce"), field("code_challenge")));
        let max_age = address.split('&').find_map(|pair| pair.strip_prefix("max_age=")).map(str::to_owned);
        issuer.change(|play| play.max_age = max_age);
        issuer.change(|play| play.now_s = self.world.clock.now().wall_us / 1_000_000);
        field("state")
    }

    /// Back from it; where the page is sent then.
    async fn back(&mut self, state: &str, more: &str) -> String {
        let answer = self.go(&format!("{DOOR}/back?state={state}{more}"), &[("Sec-Fetch-Site", "cross-site")]).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// There and back.
    async fn sign_in(&mut self, issuer: &Pretender) -> String {
        let state = self.leave(issuer, "").await;
        let location = self.back(&state, "&code=a-code").await;
        if !location.starts_with("https://id.example/") {
            return location;
        }
        let state = self.asked(issuer, &location);
        self.back(&state, "&code=a-code").await
    }

    async fn me(&mut self) -> Value {
        let answer = self.go("/api/v1/session", &[]).await;
        if answer.status == 200 { answer.json()["account"].clone() } else { Value::Null }
    }

    async fn change(&mut self, method: &str, target: &str, body: Value) -> Answer {
        let mut browser = Browser::new(self.world);
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        browser.cookie = cookies.join("; ");
        browser.ask(method, target, body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_an_account_and_finds_it_again() {
    let issuer = Pretender::new();
    let world = issuer.world(true).await;
    let mut alice = owner(&world).await;
    let about = alice.ask("GET", "/api/v1/service", Value::Null).await.json();
    assert_eq!(about["oidc"], json!({ "name": "School login" }));
    let mut surfer = Surfer::new(&world);
    assert_eq!(surfer.sign_in(&issuer).await, "/");
    let me = surfer.me().await;
    assert_eq!((&me["name"], &me["role"], &me["password"]), (&json!("bob"), &json!("user"), &json!(false)));
    assert_eq!(me["oidc"]["subject_name"], "bob");
    assert!(surfer.cookies.iter().all(|(name, _)| name != "holdfast_away"), "the try is over");
    let mut again = Surfer::new(&world);
    assert_eq!(again.sign_in(&issuer).await, "/");
    assert_eq!(again.me().await["name"], "bob", "the same account");

    // Somebody else with the same name, and somebody whose name cannot be one.
    for (subject, claims, name) in [
        ("2", json!({ "preferred_username": "bob" }), "bob 2"),
        ("3", json!({ "email": "owner@example.org" }), "owner 2"),
        ("4", json!({ "preferred_username": "..", "name": "a/b" }), "ab"),
        ("5", json!({}), "user"),
    ] {
        issuer.change(|play| (play.subject, play.claims) = (subject.to_owned(), claims));
        let mut other = Surfer::new(&world);
        assert_eq!(other.sign_in(&issuer).await, "/");
        assert_eq!(other.me().await["name"], name);
    }

    // Nothing but the issuer opens it, so it stays tied, until there is a password.
    let untied = surfer.change("DELETE", DOOR, Value::Null).await;
    assert_eq!((untied.status, untied.code().as_str()), (409, "last_way_in"));
    world.clock.jump_s(601);
    let first = json!({ "old": "", "new": PASSWORD });
    let stale = surfer.change("POST", "/api/v1/password", first.clone()).await;
    assert_eq!((stale.status, stale.code().as_str()), (403, "sign_in_again"));
    issuer.change(|play| play.subject = "248289761001".to_owned());
    assert_eq!(surfer.sign_in(&issuer).await, "/");
    assert_eq!(surfer.change("POST", "/api/v1/password", first).await.status, 204);
    assert_eq!(surfer.change("DELETE", DOOR, Value::Null).await.status, 204);
    assert_eq!(Browser::new(&world).sign_in("bob", PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_show_who_they_are_is_asked_by_the_issuer_and_not_remembered() {
    let issuer = Pretender::new();
    let world = issuer.world(true).await;
    let alice = owner(&world).await;
    let mut surfer = Surfer::new(&world);
    assert_eq!(surfer.sign_in(&issuer).await, "/");
    assert_eq!(issuer.0.lock().unwrap().max_age, None, "signing in alone asks nobody twice");
    // However new the session is: somebody else may have signed in there this morning.
    let first = json!({ "old": "", "new": PASSWORD });
    let stale = surfer.change("POST", "/api/v1/password", first.clone()).await;
    assert_eq!((stale.status, stale.code().as_str()), (403, "sign_in_again"));
    // An issuer that does not ask although it is to leaves it at that, and sends nobody round in circles.
    issuer.change(|play| play.lie = Lie::Remembers);
    assert_eq!(surfer.sign_in(&issuer).await, "/");
    assert_eq!(surfer.change("POST", "/api/v1/password", first.clone()).await.code(), "sign_in_again");
    let mut ties = Surfer::of(&world, &alice);
    let state = ties.leave(&issuer, "?link=1").await;
    assert_eq!(ties.back(&state, "&code=a-code").await, "/oidc/again");
    issuer.change(|play| play.lie = Lie::None);
    assert_eq!(surfer.sign_in(&issuer).await, "/");
    assert_eq!(issuer.0.lock().unwrap().max_age.as_deref(), Some("600"));
    assert_eq!(surfer.change("POST", "/api/v1/password", first).await.status, 204);
}

/// A passkey's row: this test signs in with none.
fn passkey(account: AccountId, number: u8, host: &str) -> Change {
    let (id, host, label) = (PasskeyId([number; 16]), host.to_owned(), String::new());
    let (credential, key, counter) = (vec![number], vec![number], 0);
    Change::Passkey(PasskeyRow { id, account, label, host, credential, key, counter, made_us: 1, ended_us: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_in_elsewhere_is_no_last_way_in_here() {
    let issuer = Pretender::new();
    let world = issuer.world(true).await;
    owner(&world).await;
    let mut surfer = Surfer::new(&world);
    assert_eq!(surfer.sign_in(&issuer).await, "/");
    let all = world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap();
    let account = all.iter().find(|row| row.name == "bob").unwrap().id;
    let add = async |change: Change| {
        let added = world.store.commit(move |_, draft| {
            draft.change(Scope::Cluster, change);
            Ok::<_, store::Error>(())
        });
        added.await.unwrap();
    };
    let refused = |answer: &Answer| (answer.status, answer.code()) == (409, "last_way_in".to_owned());
    // A passkey of the name that this service had before.
    add(passkey(account, 1, "old.example")).await;
    assert!(refused(&surfer.change("DELETE", DOOR, Value::Null).await));
    add(passkey(account, 2, "test")).await;
    assert_eq!(surfer.change("DELETE", DOOR, Value::Null).await.status, 204);
    // Tied to an issuer that nobody asks any more.
    let (issuer, subject, name) = ("https://before.example".to_owned(), "7".to_owned(), "bob".to_owned());
    add(Change::Identity(IdentityRow { account, issuer, subject, name, made_us: 1, ended_us: None })).await;
    let one = format!("/api/v1/passkeys/{}", PasskeyId([2; 16]));
    assert!(refused(&surfer.change("DELETE", &one, Value::Null).await));
    add(passkey(account, 3, "test")).await;
    assert_eq!(surfer.change("DELETE", &one, Value::Null).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_issuer_did_not_sign_for_us_now_opens_nothing() {
    let issuer = Pretender::new();
    let world = issuer.world(true).await;
    owner(&world).await;
    for lie in [
        Lie::Unsigned,
        Lie::SharedSecret,
        Lie::OtherKey,
        Lie::OtherKeySameName,
        Lie::WrongNonce,
        Lie::WrongAudience,
        Lie::SeveralAudiences,
        Lie::WrongIssuer,
        Lie::Expired,
        Lie::FromTheFuture,
        Lie::NoSubject,
        Lie::NoToken,
        Lie::Redirect,
        Lie::Page,
        Lie::Broken,
    ] {
        issuer.change(|play| play.lie = lie);
        let mut surfer = Surfer::new(&world);
        assert_eq!(surfer.sign_in(&issuer).await, "/oidc/failed", "{lie:?}");
        assert_eq!(surfer.me().await, Value::Null, "{lie:?}");
    }
    let asked = issuer.0.lock().unwrap().keys_asked;
    assert!(asked <= 2, "keys are not asked for with every lie, but {asked} times");
    issuer.change(|play| play.lie = Lie::None);
    assert_eq!(Surfer::new(&world).sign_in(&issuer).await, "/");

    // New keys are found; a giant set of them is not read, and those from before are still good.
    world.clock.jump_s(61);
    issuer.change(|play| {
        play.key_name = "second".to_owned();
        std::mem::swap(&mut play.key, &mut play.other);
    });
    assert_eq!(Surfer::new(&world).sign_in(&issuer).await, "/");
    world.clock.jump_s(3_601);
    issuer.change(|play| play.lie = Lie::Giant);
    assert_eq!(Surfer::new(&world).sign_in(&issuer).await, "/oidc/failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_is_one_browsers_once_and_for_ten_minutes() {
    let issuer = Pretender::new();
    let world = issuer.world(true).await;
    owner(&world).await;
    let (mut surfer, mut other) = (Surfer::new(&world), Surfer::new(&world));
    let code = "&code=a-code";
    let state = surfer.leave(&issuer, "").await;
    assert_eq!(other.back(&state, code).await, "/oidc/expired", "another browser's");
    assert_eq!(surfer.back(&state, code).await, "/oidc/expired", "it is used up");
    let state = surfer.leave(&issuer, "").await;
    assert_eq!(surfer.back(&state, code).await, "/");
    let state_again = state;
    assert_eq!(surfer.back(&state_again, code).await, "/oidc/expired");
    let state = surfer.leave(&issuer, "").await;
    world.clock.jump_s(601);
    assert_eq!(surfer.back(&state, code).await, "/oidc/expired");
    for (more, reason) in [
        ("&error=access_denied", "refused"),
        ("&error=server_error&code=a-code", "failed"),
        ("", "refused"),
        ("&code=a-code&code=another", "refused"),
        ("&code=a-code&iss=https%3A%2F%2Fevil.example", "failed"),
    ] {
        let state = surfer.leave(&issuer, "").await;
        assert_eq!(surfer.back(&state, more).await, format!("/oidc/{reason}"), "{more}");
    }
    for state in ["", "nonsense", "x&state=y"] {
        assert_eq!(surfer.back(state, code).await, "/oidc/expired", "{state}");
    }

    // Nobody is sent anywhere but to the issuer and the page, below a proxy's path too.
    for (prefix, page) in
        [("/cloud", "/cloud/oidc/expired"), ("//evil.example", "/oidc/expired"), ("https://evil", "/oidc/expired")]
    {
        let target = format!("{DOOR}/back?state=x&next=https://evil.example&redirect_uri=//evil.example");
        let answer = surfer.go(&target, &[("X-Forwarded-Prefix", prefix)]).await;
        assert_eq!(answer.header("location"), page);
    }
    let answer = surfer.go(DOOR, &[("X-Forwarded-Prefix", "/cloud"), ("X-Forwarded-Proto", "https")]).await;
    let back = "redirect_uri=https%3A%2F%2Ftest%2Fcloud%2Fapi%2Fv1%2Fsession%2Foidc%2Fback&";
    assert!(answer.header("location").contains(back), "{answer:?}");
    let set = answer.header("set-cookie");
    assert!(set.starts_with("__Host-holdfast_away=") && set.contains("Path=/;") && set.contains("; Secure"), "{set}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_tied_by_its_owner_alone_and_to_nobody_twice() {
    let issuer = Pretender::new();
    let world = issuer.world(false).await;
    let mut alice = owner(&world).await;
    let bob = invited(&mut alice, "bob").await;
    let mut guest = Surfer::new(&world);
    assert_eq!(guest.sign_in(&issuer).await, "/oidc/no_account");

    let mut surfer = Surfer::of(&world, &bob);
    // A page of another site sends the browser there; or nobody says who did.
    for site in [&[("Sec-Fetch-Site", "cross-site")][..], &[("Sec-Fetch-Site", "same-site")], &[]] {
        let answer = surfer.go(&format!("{DOOR}?link=1"), site).await;
        assert_eq!(answer.header("location"), "/oidc/refused");
    }
    assert_eq!(
        guest.go(&format!("{DOOR}?link=1"), &[("Sec-Fetch-Site", "same-origin")]).await.header("location"),
        "/oidc/expired"
    );
    let state = surfer.leave(&issuer, "?link=1").await;
    assert_eq!(surfer.back(&state, "&code=a-code").await, "/");
    assert_eq!(surfer.me().await["oidc"]["subject_name"], "bob");
    assert_eq!(guest.sign_in(&issuer).await, "/");
    assert_eq!(guest.me().await["name"], "bob");

    // Whoever began to tie, and is somebody else when they come back, ties nobody.
    let mut other = Surfer::of(&world, &alice);
    let state = other.leave(&issuer, "?link=1").await;
    assert_eq!(other.back(&state, "&code=a-code").await, "/oidc/taken");
    issuer.change(|play| play.subject = "of alice".to_owned());
    let state = other.leave(&issuer, "?link=1").await;
    other.cookies.retain(|(name, _)| name != "holdfast");
    other.cookies.extend(surfer.cookies.iter().filter(|(name, _)| name == "holdfast").cloned());
    assert_eq!(other.back(&state, "&code=a-code").await, "/oidc/expired");
    issuer.change(|play| play.subject = "248289761001".to_owned());

    let patch = |suspended: bool| json!({ "suspended": suspended });
    assert_eq!(alice.ask("PATCH", "/api/v1/accounts/bob", patch(true)).await.status, 204);
    assert_eq!(guest.sign_in(&issuer).await, "/oidc/suspended");
    assert_eq!(alice.ask("PATCH", "/api/v1/accounts/bob", patch(false)).await.status, 204);
    assert_eq!(guest.sign_in(&issuer).await, "/");
    assert_eq!(guest.change("DELETE", DOOR, Value::Null).await.status, 204);
    assert_eq!(guest.me().await["oidc"], Value::Null);
    assert_eq!(guest.change("DELETE", DOOR, Value::Null).await.status, 404);
    assert_eq!(Surfer::new(&world).sign_in(&issuer).await, "/oidc/no_account");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_program_nor_an_old_session_ties_and_what_is_tied_is_not_replaced() {
    let issuer = Pretender::new();
    let world = issuer.world(false).await;
    let alice = owner(&world).await;
    let link = format!("{DOOR}?link=1");
    let program = world.call("GET", &link, &[("Sec-Fetch-Site", "none")], b"").await;
    assert_eq!(program.header("location"), "/oidc/refused", "a token that ends would make a way in that does not");
    assert_eq!(world.call("DELETE", DOOR, &[], b"").await.status, 403);

    let mut surfer = Surfer::of(&world, &alice);
    let state = surfer.leave(&issuer, "?link=1").await;
    assert_eq!(surfer.back(&state, "&code=a-code").await, "/");
    issuer.change(|play| play.subject = "of somebody at the same desk".to_owned());
    let state = surfer.leave(&issuer, "?link=1").await;
    assert_eq!(surfer.back(&state, "&code=a-code").await, "/oidc/taken");
    assert_eq!(Surfer::new(&world).sign_in(&issuer).await, "/oidc/no_account", "the first one stays");

    world.clock.jump_s(601);
    assert_eq!(surfer.go(&link, &[("Sec-Fetch-Site", "same-origin")]).await.header("location"), "/oidc/again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_an_issuer_says_so() {
    let world = World::new().await;
    let mut alice = owner(&world).await;
    assert_eq!(alice.ask("GET", "/api/v1/service", Value::Null).await.json()["oidc"], Value::Null);
    let mut surfer = Surfer::new(&world);
    assert_eq!(surfer.go(DOOR, &[]).await.header("location"), "/oidc/failed");
    assert_eq!(surfer.back("x", "&code=y").await, "/oidc/failed");
}
