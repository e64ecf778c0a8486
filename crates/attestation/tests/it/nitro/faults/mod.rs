// SPDX-License-Identifier: Apache-2.0
//! Everything that can be wrong with an attestation document, and the check that says so.

mod certificates;
mod document;
mod encoding;
mod fault;

pub(crate) const FAULTS: [&[fault::Fault]; 3] =
    [certificates::FAULTS, encoding::FAULTS, document::FAULTS];
