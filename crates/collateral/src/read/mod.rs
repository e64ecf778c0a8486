// SPDX-License-Identifier: Apache-2.0
//! From a vendor's answer to an edition that is fit for use.

use crate::amd;
use crate::anchors::{Anchors, ListIssuer};
use crate::edition::{Answer, Content, Edition};
use crate::intel;
use crate::lists::root_list;
use crate::publication::Publication;
use crate::signed::Refusal;

/// Reads `answer` as an edition of `publication`, and verifies that it is about that, in force at
/// `now` and signed under `anchors`. `issuer` is the chain that [`Publication::issuer`] names.
pub(crate) fn read(
    publication: &Publication,
    answer: Answer,
    issuer: Option<&Content>,
    anchors: &Anchors,
    now: u64,
) -> Result<Edition, Refusal> {
    match publication {
        Publication::TcbInfo { tee, fmspc } => {
            intel::answer::tcb_info(*tee, *fmspc, answer, anchors, now)
        }
        Publication::QeIdentity { tee } => intel::answer::qe_identity(*tee, answer, anchors, now),
        Publication::PckCrl { ca } => intel::answer::pck_list(*ca, answer, anchors, now),
        Publication::IntelRootCrl => root_list(ListIssuer::Intel, answer, anchors, now),
        Publication::AmdChain { product, key } => {
            amd::answer::chain(*product, *key, &answer, anchors, now)
        }
        // AMD's roots sign their lists themselves.
        Publication::AmdCrl { product, .. } => {
            root_list(ListIssuer::Amd(*product), answer, anchors, now)
        }
        Publication::Vcek(vcek) => amd::answer::vcek(vcek, &answer.body, issuer, now),
    }
}

#[cfg(test)]
mod tests;
