// SPDX-License-Identifier: Apache-2.0
//! What vendors publish about evidence: fetched, checked and kept.
//!
//! Evidence is judged by what its vendor says about many machines at once: TCB info, QE identities
//! and revocation lists of Intel, certificates and revocation lists of AMD. Here is everything
//! between the vendors' services and the evidence that is completed with their answers. Two start
//! here:
//!
//! - [`Collector`], of a service that completes other people's evidence: it keeps what it fetched,
//!   renews it before it runs out, and bounds what strangers can make it ask.
//! - [`IntelFamily`], of a command that fetches once what a whole family of platforms needs.
//!
//! Whatever is taken from a vendor hangs from a root that the policy accepts, is about what was
//! asked for, and is in force. What is put into evidence is still judged by the appraisal as if its
//! sender had attached it: nothing here is a substitute for that.
//!
//! # From the bottom up
//!
//! | modules | what |
//! |---|---|
//! | `config`, `publication`, `edition` | where to ask, what for, and what an answer is kept as |
//! | `signed`, `anchors`, `lists`, `intel`, `amd`, `read` | from an answer to an edition that is fit for use |
//! | `fetch` | one question to a source |
//! | `waits`, `circuit`, `cache`, `stock` | what is held, which source is worth asking, what is being asked |
//! | `keeper` | an edition, from what is held or from its source |
//! | `incomplete`, `plan`, `collector`, `family` | what evidence, or a family of platforms, needs |
#![forbid(unsafe_code)]

mod amd;
mod anchors;
mod cache;
mod circuit;
mod collector;
mod config;
mod edition;
mod family;
mod fetch;
#[cfg(test)]
mod forged;
mod incomplete;
mod intel;
mod keeper;
mod lists;
mod metrics;
mod plan;
mod publication;
mod read;
mod signed;
mod stock;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod waits;

pub use collector::{Collector, Shortage};
pub use config::{CollateralConfig, CollateralConfigError};
pub use family::FamilyError;
pub use intel::{IntelCa, IntelFamily, IntelTee};
pub use keeper::Clock;
pub use metrics::CollateralMetrics;
