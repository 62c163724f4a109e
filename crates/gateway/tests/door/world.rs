//! A service on a port of its own, over six providers in memory.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use catalogue::Catalogue;
use fleet::{Roster, memory::MemoryTarget};
use gateway::{client::Proxies, server::Limits};
use model::{
    account::TokenScope,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
    world::{Clock, Now, World as Surroundings},
};
use service::Service;
use store::{Opening, Settings, Store};
use testkit::world::{SeededEntropy, TokioTimer};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::http::{Answer, Connection, request};

/// The start of the tests' wall clock: 2026-04-01T12:00:00Z.
pub const START_US: i64 = 1_775_044_800_000_000;

/// Runs as real time does, from [`START_US`], and jumps when told to.
pub struct TestClock {
    start: Instant,
    jumped_us: AtomicI64,
}

impl TestClock {
    /// It is later by so many seconds.
    pub fn jump_s(&self, s: i64) {
        self.jumped_us.fetch_add(s * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Now {
        let us = i64::try_from(self.start.elapsed().as_micros()).unwrap() + self.jumped_us.load(Ordering::SeqCst);
        Now { wall_us: START_US + us, monotonic_us: u64::try_from(us).unwrap() }
    }
}

pub struct World {
    pub address: SocketAddr,
    pub service: Service,
    pub store: Store,
    pub token: String,
    pub clock: Arc<TestClock>,
    /// The providers' only targets, in order.
    pub targets: Vec<MemoryTarget>,
    pub stop: Option<oneshot::Sender<()>>,
    pub served: JoinHandle<()>,
}

impl World {
    pub async fn new() -> Self {
        Self::within(Limits::default()).await
    }

    pub async fn within(limits: Limits) -> Self {
        Self::made(limits, |service| service).await
    }

    /// A service that `more` was added to.
    pub async fn made(limits: Limits, more: impl FnOnce(Service) -> Service) -> Self {
        let clock = Arc::new(TestClock { start: Instant::now(), jumped_us: AtomicI64::new(0) });
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            timer: Arc::new(TokioTimer),
        };
        let roster = Roster::default();
        let (mut providers, mut rows, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for index in 1..=6 {
            let (provider, id) = (ProviderId([index; 16]), TargetId([index; 16]));
            let address = format!("/provider-{index}");
            let target = MemoryTarget::new(address.clone());
            roster.insert(id, Arc::new(target.clone()));
            targets.push(target);
            providers.push(ProviderRow { id: provider, name: format!("provider-{index}"), labels: Vec::new() });
            let state = TargetState::Up;
            rows.push(TargetRow { id, provider, address, driver: "memory".to_owned(), generation: 0, state });
        }
        let opening = Opening {
            world: surroundings,
            catalogue: Catalogue::open_inline_memory().unwrap(),
            roster,
            service: format::Identity::generate(),
            settings: Settings { write_deadline_s: 1, ..Settings::trial() },
        };
        let store = Store::found(opening, providers, rows).await.unwrap();
        store.make_account("owner", true).await.unwrap();
        let service = more(Service::new(store.clone()));
        let token = service.make_token("owner", TokenScope::All, None).await.unwrap().text;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        // Everybody comes from this machine: where from before that, they say as a proxy of ours would.
        let proxies = Proxies::new(vec!["127.0.0.1".parse().unwrap()]);
        let serving = gateway::serve_within(listener, service.clone(), limits, proxies, async {
            let _ = stopped.await;
        });
        let served = tokio::spawn(serving);
        Self { address, service, store, token, clock, targets, stop: Some(stop), served }
    }

    pub async fn connect(&self) -> Connection {
        Connection::to(self.address).await
    }

    /// `Bearer …`.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The bytes of an authorised request.
    pub fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let bearer = self.bearer();
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        request(method, target, &all, body)
    }

    /// A request without a token of the owner's, on a connection of its own.
    pub async fn with(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let mut connection = self.connect().await;
        let _ = connection.try_send(request(method, target, headers, b"")).await;
        connection.answer(method == "HEAD").await
    }

    /// One authorised request on a connection of its own.
    pub async fn call(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut connection = self.connect().await;
        let _ = connection.try_send(self.request(method, target, headers, body)).await;
        connection.answer(method == "HEAD").await
    }

    /// As [`World::call`] below `/api/v1/files/`.
    pub async fn file(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.call(method, &format!("/api/v1/files/{path}"), headers, body).await
    }

    pub async fn put(&self, path: &str, body: &[u8]) -> Answer {
        let answer = self.file("PUT", path, &[], body).await;
        assert!(matches!(answer.status, 201 | 204), "{path}: {answer:?} {}", String::from_utf8_lossy(&answer.body));
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.file("GET", path, &[], b"").await
    }

    pub async fn act(&self, path: &str, body: &str) -> Answer {
        self.file("POST", path, &[("Content-Type", "application/json")], body.as_bytes()).await
    }

    /// The names in a folder.
    pub async fn names(&self, folder: &str) -> Vec<String> {
        let listing = self.get(folder).await.json();
        listing["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// Limits that a test need not wait for.
pub fn hasty() -> Limits {
    let ms = Duration::from_millis;
    Limits { connections_max: 4, head: ms(300), idle: ms(300), farewell: ms(500) }
}

/// Bytes that are like no others.
pub fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    use model::world::Entropy as _;
    let mut noise = vec![0; bytes];
    SeededEntropy::new(seed).fill(&mut noise);
    noise
}
