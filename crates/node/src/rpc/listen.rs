// SPDX-License-Identifier: Apache-2.0
//! Taking connections in, and telling methods where their calls come from, which jsonrpsee's own loop
//! keeps to itself.

use std::{
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use jsonrpsee::{
    Methods,
    server::{
        HttpRequest, Server, ServerConfig, ServerHandle, StopHandle, TowerService,
        TowerServiceBuilder, serve_with_graceful_shutdown, stop_channel,
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tower::{Service, layer::util::Identity};
use tracing::debug;

use super::{caller::Caller, quotas::UnderWay};
use crate::{clock::Clock, config::Proxies};

/// What connections are served with.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) methods: Methods,
    pub(super) config: ServerConfig,
    /// Most open connections, of everybody and of one address.
    pub(super) most: usize,
    pub(super) most_of_one: usize,
    /// Whose word on a client's address counts.
    pub(super) proxies: Option<Proxies>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Listening {
    /// Serves until the handle is stopped; calls that are being answered then are answered.
    pub(super) fn start(self) -> ServerHandle {
        let (stop, handle) = stop_channel();
        tokio::spawn(self.accept(stop));
        handle
    }

    async fn accept(self, stop: StopHandle) {
        let serving = Arc::new(Serving {
            builder: Server::builder()
                .set_config(self.config)
                .to_service_builder(),
            methods: self.methods,
            proxies: self.proxies,
        });
        let room = Arc::new(Semaphore::new(self.most));
        let by_address = UnderWay::at_most(self.most_of_one);
        let stopped = stop.clone().shutdown();
        tokio::pin!(stopped);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stopped => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let peer = peer.ip();
                    // A proxy has everybody's connections.
                    let is_proxy = serving.proxies.as_ref().is_some_and(|p| p.name(peer));
                    let place = if is_proxy {
                        None
                    } else if let Some(place) = by_address.enter(peer) {
                        Some(place)
                    } else {
                        debug!(%peer, "one connection too many");
                        continue;
                    };
                    let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                        debug!("no room for a connection");
                        continue;
                    };
                    let connection = Connection {
                        serving: Arc::clone(&serving),
                        peer,
                        stop: stop.clone(),
                    };
                    tokio::spawn(async move {
                        let _places = (place, permit);
                        serve(connection, stream).await;
                    });
                }
                Err(error) => {
                    // Too many files are open, as a rule: that passes when some are closed.
                    debug!(%error, "no connection");
                    self.clock.sleep(AFTER_FAILURE).await;
                }
            }
        }
    }
}

/// What every connection is served with.
struct Serving {
    builder: TowerServiceBuilder<Identity, Identity>,
    methods: Methods,
    proxies: Option<Proxies>,
}

/// Serves one connection until it ends.
async fn serve(connection: Connection, stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "connection failed");
        return;
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_read_timeout(Some(IDLE));
    stream.set_write_timeout(Some(IDLE));
    let stream = Box::pin(stream);
    let stopped = connection.stop.clone().shutdown();
    if let Err(error) = serve_with_graceful_shutdown(stream, connection, stopped).await {
        debug!(
            error = &*error as &dyn std::error::Error,
            "connection failed"
        );
    }
}

/// One connection, whose requests are told who sent them.
#[derive(Clone)]
struct Connection {
    serving: Arc<Serving>,
    peer: IpAddr,
    stop: StopHandle,
}

impl<B> Service<HttpRequest<B>> for Connection
where
    TowerService<Identity, Identity>: Service<HttpRequest<B>>,
{
    type Response = <TowerService<Identity, Identity> as Service<HttpRequest<B>>>::Response;
    type Error = <TowerService<Identity, Identity> as Service<HttpRequest<B>>>::Error;
    type Future = <TowerService<Identity, Identity> as Service<HttpRequest<B>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: HttpRequest<B>) -> Self::Future {
        let serving = &self.serving;
        let caller = Caller::of(self.peer, request.headers(), serving.proxies.as_ref());
        request.extensions_mut().insert(caller);
        let builder = serving.builder.clone();
        let mut service = builder.build(serving.methods.clone(), self.stop.clone());
        service.call(request)
    }
}

/// How long a connection may say nothing, or take nothing: longer than any call is waited for.
const IDLE: Duration = Duration::from_secs(300);

/// Between attempts to take connections in.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
