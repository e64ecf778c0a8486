// SPDX-License-Identifier: Apache-2.0
//! Ways to reach a node.

use std::{future::Future, time::Duration};

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder, WsConnect},
    transports::TransportResult,
};

use crate::ChainError;

/// Where a node of the chain is. At least one must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Websocket URL (`ws://` or `wss://`): new heads arrive as they are mined. `None`: poll.
    #[serde(default)]
    pub ws: Option<String>,
    /// HTTP URL, for requests. `None`: requests use the websocket too.
    #[serde(default)]
    pub http: Option<String>,
}

impl Endpoints {
    /// One URL of either kind, by its scheme.
    ///
    /// # Errors
    ///
    /// [`ChainError::Endpoint`] for another scheme.
    pub fn parse(url: &str) -> Result<Self, ChainError> {
        let url = url.to_owned();
        if url.starts_with("ws://") || url.starts_with("wss://") {
            Ok(Self {
                ws: Some(url),
                http: None,
            })
        } else if url.starts_with("http://") || url.starts_with("https://") {
            Ok(Self {
                ws: None,
                http: Some(url),
            })
        } else {
            Err(ChainError::Endpoint(url))
        }
    }
}

/// A provider for requests: over HTTP if there is such an endpoint, else over a websocket that
/// reconnects by itself.
///
/// It fills in nothing and holds no key; [`Sender`](crate::Sender) does that.
///
/// # Errors
///
/// [`ChainError::Endpoint`] if there is no endpoint or its URL is malformed, [`ChainError::Rpc`]
/// and [`ChainError::Timeout`] if a websocket cannot be opened.
pub async fn connect(endpoints: &Endpoints) -> Result<DynProvider, ChainError> {
    if let Some(http) = &endpoints.http {
        let url = http
            .parse()
            .map_err(|_| ChainError::Endpoint(http.clone()))?;
        return Ok(ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect_http(url)
            .erased());
    }
    let Some(ws) = &endpoints.ws else {
        return Err(ChainError::Endpoint("none given".to_owned()));
    };
    open_websocket(ws, u32::MAX).await
}

/// Opens a websocket that tries to reconnect this many times in a row when it breaks.
pub(crate) async fn open_websocket(url: &str, retries: u32) -> Result<DynProvider, ChainError> {
    let connection = WsConnect::new(url)
        .with_max_retries(retries)
        .with_retry_interval(RECONNECT_INTERVAL);
    let builder = ProviderBuilder::new().disable_recommended_fillers();
    Ok(within(builder.connect_ws(connection)).await?.erased())
}

/// Waits for an answer, but not for ever.
pub(crate) async fn within<T>(
    request: impl Future<Output = TransportResult<T>>,
) -> Result<T, ChainError> {
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ChainError::Timeout),
    }
}

/// Longest wait for one answer.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// First pause before a broken websocket is opened again; it grows with each attempt.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_apart_by_scheme() {
        assert!(Endpoints::parse("ws://localhost:1").unwrap().ws.is_some());
        assert!(
            Endpoints::parse("https://localhost")
                .unwrap()
                .http
                .is_some()
        );
        for wrong in ["", "localhost:8545", "ftp://localhost", "http:/x"] {
            assert!(matches!(
                Endpoints::parse(wrong),
                Err(ChainError::Endpoint(_))
            ));
        }
    }

    #[tokio::test]
    async fn no_endpoint_is_an_error() {
        let error = connect(&Endpoints::default()).await.unwrap_err();
        assert!(matches!(error, ChainError::Endpoint(_)));
    }
}
