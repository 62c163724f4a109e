//! Small pictures are kept like files, and go with them.

use std::{
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use gateway::{
    client::Proxies,
    machine::Nobody,
    page::Page,
    pictures::{Large, NotMade, Pictures},
    watch::Watch,
};
use model::world::BoxFuture;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    http::{Answer, Connection},
    world::{World, noise},
};

/// Makes a picture that no other is like, and counts.
struct Counting {
    made: AtomicUsize,
    seed: u64,
}

impl Pictures for Counting {
    fn wanted(&self, large: &Large) -> Vec<Range<u64>> {
        std::iter::once(0..large.size).collect()
    }

    fn small(
        &self,
        _: Large,
        _: BoxStream<'static, io::Result<Bytes>>,
        side: u32,
    ) -> BoxFuture<'_, Result<Bytes, NotMade>> {
        let seed = self.seed + self.made.fetch_add(1, Ordering::SeqCst) as u64;
        Box::pin(async move { Ok(Bytes::from(noise(seed, side as usize * 40))) })
    }
}

/// A process that remembers nothing of the ones before, over the same store.
struct Door {
    address: std::net::SocketAddr,
    maker: Arc<Counting>,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

impl Door {
    async fn open(world: &World, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let maker = Arc::new(Counting { made: AtomicUsize::new(0), seed });
        let (stop, stopped) = oneshot::channel();
        let (service, pictures) = (world.service.clone(), maker.clone());
        let served = tokio::spawn(async move {
            let end = async { drop(stopped.await) };
            let watch = Watch::new(service.clone(), Proxies::default());
            gateway::serve(listener, service, Page::none(), Arc::new(Nobody), pictures, watch, end).await;
        });
        Self { address, maker, stop, served }
    }

    async fn get(&self, world: &World, target: &str) -> Answer {
        let mut connection = Connection::to(self.address).await;
        let _ = connection.try_send(world.request("GET", target, &[], b"")).await;
        connection.answer(false).await
    }

    fn made(&self) -> usize {
        self.maker.made.load(Ordering::SeqCst)
    }

    async fn close(self) {
        let _ = self.stop.send(());
        self.served.await.unwrap();
    }
}

async fn used(world: &World) -> u64 {
    world.call("GET", "/api/v1/session", &[], b"").await.json()["account"]["used_bytes"].as_u64().unwrap()
}

/// Waits until the account takes so many bytes.
async fn until_used(world: &World, bytes: u64) {
    while used(world).await != bytes {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_small_picture_is_made_once_and_goes_with_its_file() {
    const SMALL: u64 = 256 * 40;
    let world = World::new().await;
    world.put("photos/beach.jpg", b"a large picture").await;
    let photo = 15;
    let door = Door::open(&world, 100).await;
    let first = door.get(&world, "/api/v1/thumbnails/photos/beach.jpg").await;
    assert_eq!((first.status, door.made()), (200, 1));
    until_used(&world, photo + SMALL).await;
    door.close().await;

    // Another process makes none; nobody sees it beside its file; and it moves with that.
    let door = Door::open(&world, 200).await;
    let moved = world.act("photos", r#"{"action":"move","to":"/trip"}"#).await;
    assert_eq!(moved.status, 201, "{moved:?}");
    let again = door.get(&world, "/api/v1/thumbnails/trip/beach.jpg").await;
    assert_eq!((again.body == first.body, door.made()), (true, 0), "{again:?}");
    assert_eq!(world.names("trip/").await, ["beach.jpg"]);
    let found = world.call("GET", "/api/v1/search?kind=image", &[], b"").await.json();
    assert_eq!(found["entries"].as_array().map(Vec::len), Some(1), "{found}");
    for below in ["trip/beach.jpg/", "trip/beach.jpg/x"] {
        assert!(world.get(below).await.status >= 400, "nothing lies below a file");
    }

    // A new version has a picture of its own, and both go with the file.
    world.put("trip/beach.jpg", b"another picture").await;
    let new = door.get(&world, "/api/v1/thumbnails/trip/beach.jpg").await;
    assert_eq!((new.body == first.body, door.made()), (false, 1));
    until_used(&world, 2 * (photo + SMALL)).await;
    door.close().await;
    let gone = world.file("DELETE", "trip/?permanent=true", &[], b"").await;
    assert_eq!((gone.status, used(&world).await), (204, 0), "{gone:?}");
}

#[tokio::test]
async fn pictures_leave_room_for_what_somebody_sends() {
    let world = World::new().await;
    world.put("beach.jpg", b"a large picture").await;
    world.service.set_quota(&operator(&world).await, "owner".into(), Some(256 * 40 + 100)).await.unwrap();
    let door = Door::open(&world, 300).await;
    assert_eq!(door.get(&world, "/api/v1/thumbnails/beach.jpg").await.status, 200);
    assert_eq!(door.get(&world, "/api/v1/thumbnails/beach.jpg?size=1024").await.status, 200);
    // What was to be kept is on its way, or was refused, once a picture that fits is there.
    world.service.set_quota(&operator(&world).await, "owner".into(), None).await.unwrap();
    world.put("small.jpg", b"a large picture").await;
    assert_eq!(door.get(&world, "/api/v1/thumbnails/small.jpg").await.status, 200);
    until_used(&world, 2 * 15 + 256 * 40).await;
    door.close().await;
}

#[tokio::test]
async fn a_file_whose_days_are_over_takes_its_small_picture_along() {
    let world = World::new().await;
    let plan = world.call("PUT", "/api/v1/plans/Month", &[], br#"{"keep_days":30}"#).await;
    let given = world.call("PATCH", "/api/v1/accounts/owner", &[], br#"{"plan":"Month"}"#).await;
    assert_eq!((plan.status, given.status), (200, 204));
    world.put("beach.jpg", b"a large picture").await;
    let door = Door::open(&world, 400).await;
    assert_eq!(door.get(&world, "/api/v1/thumbnails/beach.jpg").await.status, 200);
    until_used(&world, 15 + 256 * 40).await;
    world.clock.jump_s(31 * 86_400);
    world.service.expire().await.unwrap();
    let trash = world.call("GET", "/api/v1/trash", &[], b"").await.json();
    let paths: Vec<_> = trash["entries"].as_array().unwrap().iter().map(|line| line["path"].clone()).collect();
    assert_eq!(paths, ["/beach.jpg"]);
    assert_eq!(world.act("beach.jpg", r#"{"action":"restore"}"#).await.status, 201);
    assert_eq!(door.get(&world, "/api/v1/thumbnails/beach.jpg").await.status, 200);
    door.close().await;
}

async fn operator(world: &World) -> service::Caller {
    world.service.authenticate(&world.token, service::Need::Everything).await.unwrap()
}
