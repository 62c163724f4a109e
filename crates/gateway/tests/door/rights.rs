//! Who may do what: each door and verb, for everybody who may come to it.

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    world::World,
};

/// Who asks, and by which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Owner,
    Other,
    Reads,
    Writes,
    /// A grant that was ended.
    Ended,
    /// The guest of a link to the folder.
    Link,
    /// The guest of a link that takes files.
    Request,
    /// The guest of a link that was ended.
    Revoked,
    /// The guest of a link whose time is over.
    Expired,
    /// The guest of a link whose owner is suspended.
    OfSuspended,
    /// Somebody with a grant from an owner who is suspended.
    ReadsOfSuspended,
    /// A suspended account in its own tree.
    Suspended,
    /// A token of the owner's that looks only.
    TokenReads,
    /// A token that changes files, in the tree of its account.
    TokenFiles,
    /// A token that looks only, of somebody who may change things here.
    TokenReadsWhereItMayWrite,
    /// A token that changes files, of somebody who may look at things here.
    TokenFilesWhereItMayRead,
    Anonymous,
}

const ALL: [Who; 17] = [
    Who::Owner,
    Who::Other,
    Who::Reads,
    Who::Writes,
    Who::Ended,
    Who::Link,
    Who::Request,
    Who::Revoked,
    Who::Expired,
    Who::OfSuspended,
    Who::ReadsOfSuspended,
    Who::Suspended,
    Who::TokenReads,
    Who::TokenFiles,
    Who::TokenReadsWhereItMayWrite,
    Who::TokenFilesWhereItMayRead,
    Who::Anonymous,
];

/// A door and a verb, on the file `f` of the folder.
struct Door {
    method: &'static str,
    /// Behind `/api/v1` and the way.
    target: &'static str,
    body: &'static str,
    /// Whoever gets in: a status below 300.
    open_to: &'static [Who],
}

const TUS: [(&str, &str); 3] = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "1"), ("Upload-Metadata", "path dXA=")];
const SEES: &[Who] = &[
    Who::Owner,
    Who::Reads,
    Who::Writes,
    Who::TokenReads,
    Who::TokenFiles,
    Who::TokenReadsWhereItMayWrite,
    Who::TokenFilesWhereItMayRead,
];
const SEES_OR_LINK: &[Who] = &[
    Who::Owner,
    Who::Reads,
    Who::Writes,
    Who::Link,
    Who::TokenReads,
    Who::TokenFiles,
    Who::TokenReadsWhereItMayWrite,
    Who::TokenFilesWhereItMayRead,
];
const CHANGES: &[Who] = &[Who::Owner, Who::Writes, Who::TokenFiles];

const DOORS: [Door; 14] = [
    Door { method: "GET", target: "/files/", body: "", open_to: SEES_OR_LINK },
    Door { method: "GET", target: "/files/f", body: "", open_to: SEES_OR_LINK },
    Door { method: "HEAD", target: "/files/f", body: "", open_to: SEES_OR_LINK },
    Door { method: "GET", target: "/zip/", body: "", open_to: SEES_OR_LINK },
    Door { method: "GET", target: "/versions/f", body: "", open_to: SEES },
    Door { method: "GET", target: "/search?q=f", body: "", open_to: SEES },
    Door {
        method: "POST",
        target: "/files/f",
        body: r#"{"action":"copy","to":"/taken home","into":"own"}"#,
        open_to: &[Who::Owner, Who::Reads, Who::Writes, Who::TokenFiles, Who::TokenFilesWhereItMayRead],
    },
    Door { method: "PUT", target: "/files/new", body: "new", open_to: CHANGES },
    Door { method: "POST", target: "/files/made", body: r#"{"action":"mkdir"}"#, open_to: CHANGES },
    Door { method: "POST", target: "/files/f", body: r#"{"action":"copy","to":"/copy"}"#, open_to: CHANGES },
    Door { method: "POST", target: "/files/copy", body: r#"{"action":"move","to":"/moved"}"#, open_to: CHANGES },
    Door { method: "DELETE", target: "/files/moved", body: "", open_to: CHANGES },
    Door {
        method: "POST",
        target: "/uploads/",
        body: "",
        open_to: &[Who::Owner, Who::Writes, Who::Request, Who::TokenFiles],
    },
    Door { method: "DELETE", target: "/files/f?permanent=true", body: "", open_to: &[Who::Owner, Who::TokenFiles] },
];

/// What somebody has in hand.
struct Hand<'w> {
    who: Who,
    browser: Browser<'w>,
    /// What it sends in place of a cookie.
    bearer: Option<String>,
    /// In front of a door's own address.
    way: String,
}

impl Hand<'_> {
    async fn knock(&self, door: &Door) -> u16 {
        let mut headers = if door.target == "/uploads/" { TUS.to_vec() } else { Vec::new() };
        headers.extend(self.bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let target = format!("{}{}", self.way, door.target);
        self.browser.send(door.method, &target, &headers, door.body.as_bytes()).await.status
    }
}

/// A new token of somebody who is signed in, as it is sent.
async fn token(of: &mut Browser<'_>, scope: &str) -> String {
    let made = of.ask("POST", "/api/v1/tokens", json!({ "scope": scope })).await.json();
    format!("Bearer {}", made["token"].as_str().unwrap())
}

/// Somebody's program in their stead.
async fn by_token<'w>(world: &'w World, who: Who, mut of: Browser<'w>, scope: &str, way: String) -> Hand<'w> {
    Hand { who, bearer: Some(token(&mut of, scope).await), browser: Browser::new(world), way }
}

/// One owner's folder with a file in it, and everybody around it.
async fn everybody<'w>(world: &'w World, operator: &mut Browser<'w>, round: usize) -> Vec<Hand<'w>> {
    let names = |name: &str| format!("{name} {round}");
    let mut owner = invited(operator, &names("owner")).await;
    let mut gone = invited(operator, &names("gone")).await;
    let (reads, writes) = (invited(operator, &names("reads")).await, invited(operator, &names("writes")).await);
    let (ended, other) = (invited(operator, &names("ended")).await, invited(operator, &names("other")).await);
    let left = invited(operator, &names("left")).await;
    let mut program = invited(operator, &names("program")).await;
    let looks = invited(operator, &names("tokenreadswhereitmaywrite")).await;
    let brings = invited(operator, &names("tokenfileswhereitmayread")).await;
    for browser in [&owner, &gone, &program] {
        assert_eq!(browser.send("PUT", "/api/v1/files/f", &[], b"in the tree").await.status, 201);
        assert_eq!(browser.send("PUT", "/api/v1/files/folder/f", &[], b"shown").await.status, 201);
    }
    let mut hands = vec![Hand { who: Who::Other, browser: other, bearer: None, way: String::new() }];
    for (who, browser, rights) in [
        (Who::Reads, reads, "read"),
        (Who::Writes, writes, "write"),
        (Who::Ended, ended, "write"),
        (Who::TokenReadsWhereItMayWrite, looks, "write"),
        (Who::TokenFilesWhereItMayRead, brings, "read"),
    ] {
        let wish = json!({ "path": "/folder", "to": names(&format!("{who:?}").to_lowercase()), "rights": rights });
        let line = owner.ask("POST", "/api/v1/grants", wish).await.json();
        let id = line["id"].as_str().unwrap();
        if who == Who::Ended {
            assert_eq!(owner.ask("DELETE", &format!("/api/v1/grants/{id}"), Value::Null).await.status, 204);
        }
        if who == Who::Reads {
            // Somebody else's address opens nothing.
            hands[0].way = format!("/api/v1/shared/{id}");
        }
        let way = format!("/api/v1/shared/{id}");
        hands.push(match who {
            Who::TokenReadsWhereItMayWrite => by_token(world, who, browser, "read", way).await,
            Who::TokenFilesWhereItMayRead => by_token(world, who, browser, "files", way).await,
            _ => Hand { who, browser, bearer: None, way },
        });
    }
    let soon = "2026-06-01T00:00:00Z";
    for (who, wish) in [
        (Who::Link, json!({ "path": "/folder" })),
        (Who::Request, json!({ "path": "/folder", "receives": true })),
        (Who::Revoked, json!({ "path": "/folder" })),
        (Who::Expired, json!({ "path": "/folder", "expires": soon })),
        (Who::OfSuspended, json!({ "path": "/folder" })),
    ] {
        let from = if who == Who::OfSuspended { &mut gone } else { &mut owner };
        let share = from.ask("POST", "/api/v1/shares", wish).await.json();
        if who == Who::Revoked {
            let address = format!("/api/v1/shares/{}", share["id"].as_str().unwrap());
            assert_eq!(owner.ask("DELETE", &address, Value::Null).await.status, 204);
        }
        let way = format!("/api/v1/links/{}", share["code"].as_str().unwrap());
        hands.push(Hand { who, browser: Browser::new(world), bearer: None, way });
    }
    let wish = json!({ "path": "/folder", "to": names("left"), "rights": "write" });
    let line = gone.ask("POST", "/api/v1/grants", wish).await.json();
    let way = format!("/api/v1/shared/{}", line["id"].as_str().unwrap());
    hands.push(Hand { who: Who::ReadsOfSuspended, browser: left, bearer: None, way });
    let address = format!("/api/v1/accounts/gone%20{round}");
    assert_eq!(operator.ask("PATCH", &address, json!({ "suspended": true })).await.status, 204);
    hands.push(Hand { who: Who::Suspended, browser: gone, bearer: None, way: "/api/v1".to_owned() });
    hands.push(Hand { who: Who::Anonymous, browser: Browser::new(world), bearer: None, way: "/api/v1".to_owned() });
    for (who, of, scope) in [(Who::TokenReads, &mut owner, "read"), (Who::TokenFiles, &mut program, "files")] {
        let bearer = Some(token(of, scope).await);
        hands.push(Hand { who, browser: Browser::new(world), bearer, way: "/api/v1".to_owned() });
    }
    hands.push(Hand { who: Who::Owner, browser: owner, bearer: None, way: "/api/v1".to_owned() });
    hands
}

#[tokio::test(flavor = "multi_thread")]
async fn each_door_opens_to_whom_it_should_and_to_nobody_else() {
    let world = World::new().await;
    let mut operator = owner(&world).await;
    let hands = everybody(&world, &mut operator, 1).await;
    let mut met: Vec<Who> = hands.iter().map(|hand| hand.who).collect();
    met.sort_by_key(|who| ALL.iter().position(|other| other == who));
    assert_eq!(met, ALL, "everybody knocks");
    // Past the end of the link that has one; sessions last longer.
    world.clock.jump_s(61 * 86_400);
    let again = |who: Who| {
        matches!(who, Who::Owner | Who::Other | Who::Reads | Who::Writes | Who::Ended | Who::ReadsOfSuspended)
    };
    for mut hand in hands {
        if again(hand.who) {
            let name = match hand.who {
                Who::ReadsOfSuspended => "left 1".to_owned(),
                who => format!("{who:?} 1").to_lowercase(),
            };
            assert_eq!(hand.browser.sign_in(&name, crate::access::PASSWORD).await.status, 200, "{name}");
        }
        for door in &DOORS {
            let status = hand.knock(door).await;
            let opened = status < 300;
            let wanted = door.open_to.contains(&hand.who);
            assert_eq!(opened, wanted, "{:?} {} {}: {status}", hand.who, door.method, door.target);
            assert!(opened || (400..500).contains(&status), "{:?} {} {}: {status}", hand.who, door.method, door.target);
        }
    }
}
