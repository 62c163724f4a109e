//! `holdfast serve`: the service, until it is told to stop.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use gateway::{
    client::{Proxies, Range},
    watch::Watch,
};
use model::Class;
use service::Service;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};

use crate::{
    assemble::{self, Assembly, FIRST_ACCOUNT},
    client::batch::line,
    control::Control,
    data::DataFolder,
    error::{Error, Result},
    log::Form,
    monitor::Monitor,
    oidc,
    operator::{Operator, Question},
    outgoing,
    pictures::Maker,
    tls::Keeper,
};

/// The data folder where none is named.
pub const DATA: &str = "holdfast-data";

/// Runs the service. Without a configuration it starts a trial: six providers played by six folders.
#[derive(clap::Args)]
pub struct Args {
    /// Data folder: catalogue, keys, lock; made if it is missing.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4620")]
    listen: SocketAddr,
    /// Configuration file: providers, targets, settings. Else the one that was used last, at first DIR/holdfast.toml, which a
    /// trial writes for itself.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A proxy in front of the service: an address, or a range as 10.0.0.0/8; may be said again. What it says of where a
    /// request comes from (X-Forwarded-For) is believed; limits by network need it.
    #[arg(long, value_name = "ADDR")]
    proxy: Vec<Range>,
    /// Listens for other machines over plain HTTP, without [tls] and without a proxy that was named: passwords and files can be
    /// read on their way.
    #[arg(long)]
    insecure_http: bool,
    /// How the log is written to standard error: `text` for people, or `json`, one object a line, for programs.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    log: Form,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    args.log.start();
    // Before anything is made or changed.
    args.config.as_deref().map(oidc::read).transpose()?;
    let data = DataFolder::at(&args.data)?;
    let listener = listen(args.listen).await?;
    let held = data.hold(true)?;
    let assembly = Arc::new(assemble::open(data, held, args.config.as_deref(), true).await?);
    let goes_out = assembly.origin.outgoing(&assembly.data)?;
    let monitor = match assembly.origin.monitor(&assembly.data)? {
        Some(address) => Some(Monitor::bind(address).await?),
        None => None,
    };
    let service = outgoing::with(Service::new(assembly.store.clone()), &goes_out)?;
    assembly.store.start();
    let keeper = match assembly.origin.tls(&assembly.data)? {
        Some(tls) => Some(Keeper::new(tls, &assembly.data).await?),
        None => None,
    };
    if keeper.is_none() && args.proxy.is_empty() && !args.insecure_http && !args.listen.ip().is_loopback() {
        return Err(plain_for_all(args.listen));
    }
    let service = oidc::join(service, assembly.origin.file())?;
    let operator = Arc::new(Operator::new(Arc::clone(&assembly), service.clone()));
    let control = Control::listen(&assembly.data, Arc::clone(&operator))?;
    let address = listener.local_addr().map_err(|error| Error::new(Class::Retry, error))?;
    // Before the first line is printed: whoever reads it may send a signal at once.
    let (stop, hangups) = (stop_signal()?, listen_for(SignalKind::hangup())?);
    let pictures = Maker::new(assembly.data.scratch()).map_err(|error| Error::new(Class::Retry, error))?;
    let pictures = Arc::new(pictures);
    greet(&assembly, &service, address, keeper.as_deref()).await;
    line(&pictures.about());
    if let Some(mail) = &goes_out.mail {
        line(&format!("mail: through {}, addresses in it begin with {}", mail.host, mail.page));
    }
    let certificates = keeper.as_ref().map(|keeper| Arc::clone(&keeper.certificates));
    let watched = Watch::over(service.clone(), Proxies::new(args.proxy), certificates);
    let kept = keeper.clone().map(|keeper| keeper.run(Arc::clone(&watched), address.port()));
    let monitored = monitor.map(|monitor| {
        line(&format!("metrics: http://{}/metrics", monitor.address));
        monitor.serve(Arc::clone(&watched))
    });
    let reloads = tokio::spawn(reload_at(hangups, Arc::clone(&operator), keeper.clone()));
    let mails = outgoing::carry_mails(service.clone());
    let events = outgoing::tell_webhooks(service.clone(), Arc::clone(&assembly.world.timer));
    let notices = tokio::spawn(notices(service.clone(), Arc::clone(&assembly)));
    let expiry = tokio::spawn(expire(service.clone(), Arc::clone(&assembly)));
    gateway::serve(listener, service, crate::page::page(), operator, pictures.clone(), watched, stop).await;
    pictures.end();
    expiry.abort();
    notices.abort();
    mails.abort();
    monitored.iter().chain(kept.iter().flatten()).for_each(JoinHandle::abort);
    events.abort();
    drop(control);
    reloads.abort();
    assembly.store.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Why the service does not begin where everybody on the way could read what is said.
fn plain_for_all(address: SocketAddr) -> Error {
    let what = format!(
        "{address} is reached from other machines, and plain HTTP lets everybody on the way read passwords and files"
    );
    Error::new(Class::Refused, what).hint(
        "configure [tls]; or name the TLS proxy in front with --proxy ADDR; or listen on 127.0.0.1; or say --insecure-http if that network is yours alone. Nothing was lost",
    )
}

/// Empties what has been in the trash for long enough, every ten minutes.
async fn expire(service: Service, assembly: Arc<Assembly>) {
    loop {
        assembly.world.timer.sleep(600_000_000).await;
        if let Err(error) = service.expire().await {
            tracing::warn!("the trash was not emptied: {error}");
        }
    }
}

/// Looks every ten minutes, and when a notice came, whether people have to be told of something.
async fn notices(service: Service, assembly: Arc<Assembly>) {
    // Targets are looked at first. What a firm files meanwhile is told at once all the same.
    let mut looked = assembly.world.timer.sleep(60_000_000);
    loop {
        tokio::select! {
            () = &mut looked => break,
            () = service.notice_came() => {
                if let Err(error) = service.tell_of_notices().await {
                    tracing::warn!("nobody was told of notices: {error}");
                }
            }
        }
    }
    loop {
        if let Err(error) = service.watch().await {
            tracing::warn!("notices were not looked at: {error}");
        }
        tokio::select! {
            () = service.notice_came() => {}
            () = assembly.world.timer.sleep(600_000_000) => {}
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let failed = Error::new(crate::error::class_of_io(&error), format!("cannot listen on {address}: {error}"));
        match error.kind() {
            io::ErrorKind::AddrInUse => failed.hint("another program has that port; choose one with --listen, for example --listen 127.0.0.1:0 for any free one"),
            io::ErrorKind::PermissionDenied => failed.hint("ports below 1024 need rights of their own; choose a higher one with --listen"),
            _ => failed.hint("--listen takes an address of this machine and a port"),
        }
    })
}

/// Says where it listens and what the operator should know. The first line is for programs, too.
async fn greet(assembly: &Assembly, service: &Service, address: SocketAddr, keeper: Option<&Keeper>) {
    let data = assembly.data.root().display();
    let scheme = if keeper.is_some() { "https" } else { "http" };
    line(&format!("listening on {scheme}://{address}"));
    // Browsers trust this name without TLS; other addresses of the machine need not answer to it.
    let page = if address.ip() == Ipv4Addr::LOCALHOST {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    };
    match service.claim_code().await {
        Ok(Some(code)) => line(&format!("page: {page}/join#{code} (opens once: makes this service yours)")),
        _ => line(&format!("page: {page}/")),
    }
    line(&format!("token: holdfast token create --data {} --account {FIRST_ACCOUNT}", shell(assembly.data.root())));
    line(&format!(
        "service identity: {} (keep a copy where none of the providers can reach it: with it and the targets alone, everything here is made again)",
        assembly.data.identity_file().display()
    ));
    if !assembly.founded {
        assembly.origin.said(&assembly.data).iter().for_each(|said| line(said));
    }
    if let Some(file) = assembly.origin.file().map(Path::display) {
        if assembly.founded {
            line(&format!("a new service was made in {data}; its fleet is described in {file}"));
        }
        for name in &assembly.absent {
            line(&format!("provider '{name}' is not in {file}: it counts as down, and is not forgotten"));
        }
    }
    assembly.left_out.iter().for_each(|said| line(said));
    match assembly.store.fleet_report().await {
        Ok(report) if report.trial => {
            line("trial: providers share one disk; this survives a wiped folder, not a dead disk");
        }
        _ => {}
    }
    if let Some(http) = keeper.and_then(Keeper::http) {
        line(&format!("http: http://{http} (sends browsers to https)"));
    }
    if !address.ip().is_loopback() && keeper.is_none() {
        line(
            "warning: this is plain http: without a TLS proxy in front of it, passwords and files can be read on their way; better configure [tls]",
        );
    }
}

/// A path as a shell takes it.
pub fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Listens for SIGTERM and ctrl-c; the future completes at the first of them.
///
/// # Errors
/// When signals cannot be listened for.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send> {
    let (mut terminate, mut interrupt) = (listen_for(SignalKind::terminate())?, listen_for(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn listen_for(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|error| Error::new(Class::Exhausted, format!("signals cannot be listened for: {error}")))
}

/// Reads configuration and certificates again on every SIGHUP; what is wrong with it is said, and the fleet stays as it is.
async fn reload_at(mut hangups: Signal, operator: Arc<Operator>, keeper: Option<Arc<Keeper>>) {
    while hangups.recv().await.is_some() {
        keeper.iter().for_each(|keeper| keeper.look());
        match operator.answer(Question::Reload).await {
            Ok(answer) => tracing::info!(opened = %answer["opened"], "configuration read again"),
            Err(error) => tracing::error!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::shell;

    #[test]
    fn printed_commands_can_be_pasted() {
        assert_eq!(shell(Path::new("/srv/holdfast-data")), "/srv/holdfast-data");
        assert_eq!(shell(Path::new("/home/o'neil/my data")), "'/home/o'\\''neil/my data'");
    }
}
