// SPDX-License-Identifier: Apache-2.0
//! Certificate paths (RFC 5280 section 6) and revocation lists (section 5) over `rustls-webpki`.
//!
//! `rustls-webpki` finds the path and judges signatures, dates, CA flags and path lengths. This
//! module adds what it leaves to its caller, the dates of the root itself, and judges revocation
//! lists: `rustls-webpki` would consult the first that fits, demands more of their form than
//! vendors promise, and does not say which it consulted.

mod fault;
mod items;
mod list;
mod path;
mod step;

pub(crate) use fault::PathFault;
pub(crate) use items::{certificates, revocation_lists};
pub(crate) use path::{MAX_INTERMEDIATES, Path, verify};
pub(crate) use step::Item;
