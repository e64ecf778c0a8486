// SPDX-License-Identifier: Apache-2.0
//! AMD: what a report needs, and what the key distribution service answers.
//!
//! Source: SEV Secure Nested Paging Firmware ABI Specification 1.58 and publication 57230 (KDS).

pub(crate) mod answer;
pub(crate) mod certificates;
pub(crate) mod chip;
pub(crate) mod need;
pub(crate) mod report;
