// SPDX-License-Identifier: Apache-2.0
//! One question to a source, and nothing believed of the answer.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};

use crate::config::{CollateralConfigError, Urls};
use crate::edition::Answer;
use crate::publication::Publication;
use crate::signed::Refusal;

/// Asks sources over HTTP.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    urls: Urls,
}

/// Why there is no answer that could be used. Addresses are left out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// There is no such thing.
    #[error("status 404")]
    NotFound,
    /// Asked too often.
    #[error("status {status}, retry after {retry_after:?} seconds")]
    Busy {
        status: u16,
        retry_after: Option<u64>,
    },
    /// Any other status.
    #[error("status {0}")]
    Status(u16),
    /// It wants to be asked elsewhere.
    #[error("redirect, status {0}, not followed")]
    Redirect(u16),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The connection failed, or ended early.
    #[error("connection failed: {0}")]
    Transport(String),
    /// More than anything genuine has.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// No certificates of the issuers.
    #[error("no header {0}")]
    Header(&'static str),
    /// Not what was asked for.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// Older than what is held.
    #[error("older than what is held")]
    Older,
}

impl FetchError {
    /// Its name in metrics.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Busy { .. } => "busy",
            Self::Status(_) => "status",
            Self::Redirect(_) => "redirect",
            Self::Timeout => "timeout",
            Self::Transport(_) => "transport",
            Self::TooLarge(_) => "too-large",
            Self::Header(_) => "no-chain",
            Self::Refused(_) => "refused",
            Self::Older => "older",
        }
    }

    /// How many seconds the source asked to be left alone; zero if it named no number.
    pub(crate) fn wish(&self) -> Option<u64> {
        match self {
            Self::Busy { retry_after, .. } => Some(retry_after.unwrap_or(0)),
            _ => None,
        }
    }

    /// Whether the source itself is in trouble, whatever it is asked.
    pub(crate) fn is_of_the_source(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. } | Self::Status(500..) | Self::Timeout | Self::Transport(_)
        )
    }
}

impl Fetcher {
    pub(crate) fn new(urls: Urls, timeout: Duration) -> Result<Self, CollateralConfigError> {
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(timeout)
            .timeout(timeout)
            .user_agent(concat!("subrosa-collateral/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(CollateralConfigError::Client)?;
        Ok(Self { client, urls })
    }

    /// Asks for `publication`. `now` (Unix seconds) is what dates in the answer are relative to.
    pub(crate) async fn ask(
        &self,
        publication: &Publication,
        now: u64,
    ) -> Result<Answer, FetchError> {
        let url = publication.url(&self.urls);
        let mut response = self.client.get(url).send().await.map_err(failure)?;
        check_status(&response, now)?;
        let chain = match publication.chain_headers() {
            [] => String::new(),
            names @ [first, ..] => {
                issuer_chain(response.headers(), names).ok_or(FetchError::Header(first))?
            }
        };
        let body = capped(&mut response, publication.limit()).await?;
        Ok(Answer { body, chain })
    }
}

fn check_status(response: &Response, now: u64) -> Result<(), FetchError> {
    let status = response.status();
    let number = status.as_u16();
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(FetchError::NotFound),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(FetchError::Busy {
            status: number,
            retry_after: retry_after(response.headers(), now),
        }),
        _ if status.is_redirection() => Err(FetchError::Redirect(number)),
        _ => Err(FetchError::Status(number)),
    }
}

/// Seconds to wait (RFC 9110, 10.2.3: seconds, or a date).
fn retry_after(headers: &HeaderMap, now: u64) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(date.as_secs().saturating_sub(now))
}

fn issuer_chain(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    let value = names.iter().find_map(|name| headers.get(*name))?;
    let text = value.to_str().ok()?;
    if text.len() > LONGEST_CHAIN {
        return None;
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

async fn capped(response: &mut Response, limit: usize) -> Result<Vec<u8>, FetchError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|length| length > limit) {
        return Err(FetchError::TooLarge(limit));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Transport(error.without_url().to_string())
    }
}

/// Longest header with certificates, bytes. Genuine ones have 2 KiB.
const LONGEST_CHAIN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, 1_000_000_000)
        };
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Sun, 09 Sep 2001 01:46:50 GMT"), Some(10));
        assert_eq!(read("Sat, 08 Sep 2001 01:46:50 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(retry_after(&HeaderMap::new(), 0), None);
    }

    #[test]
    fn chains_in_headers_are_decoded_and_bounded() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("SGX-TCB-Info-Issuer-Chain", text.parse().unwrap());
            issuer_chain(
                &headers,
                &["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"],
            )
        };
        assert_eq!(
            read("-----BEGIN%20X%0A+").as_deref(),
            Some("-----BEGIN X\n+")
        );
        assert_eq!(read("%ff"), None);
        assert_eq!(read(&"a".repeat(LONGEST_CHAIN + 1)), None);
        assert_eq!(issuer_chain(&HeaderMap::new(), &["A"]), None);
    }
}
