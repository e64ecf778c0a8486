// SPDX-License-Identifier: Apache-2.0
//! Intel's collateral put together as evidence carries it: one JSON object.

use std::sync::Arc;

use dcap_qvl::QuoteCollateralV3;

use crate::edition::{Content, Edition};

/// `all` with what was chosen in its place, in the order of `Publication::of_family`, as JSON.
pub(crate) fn filled(
    mut all: QuoteCollateralV3,
    chosen: &[Option<Arc<Content>>; 4],
) -> Option<Vec<u8>> {
    let [tcb_info, qe_identity, pck_list, root_list] = chosen.each_ref().map(Option::as_deref);
    if let Some(Content::Text {
        chain,
        text,
        signature,
    }) = tcb_info
    {
        all.tcb_info_issuer_chain.clone_from(chain);
        all.tcb_info.clone_from(text);
        all.tcb_info_signature.clone_from(signature);
    }
    if let Some(Content::Text {
        chain,
        text,
        signature,
    }) = qe_identity
    {
        all.qe_identity_issuer_chain.clone_from(chain);
        all.qe_identity.clone_from(text);
        all.qe_identity_signature.clone_from(signature);
    }
    if let Some(Content::List { chain, der }) = pck_list {
        all.pck_crl_issuer_chain.clone_from(chain);
        all.pck_crl.clone_from(der);
    }
    if let Some(Content::List { der, .. }) = root_list {
        all.root_ca_crl.clone_from(der);
    }
    serde_json::to_vec(&all).ok()
}

/// Collateral of these four editions, in the same order, as JSON.
pub(crate) fn assembled(editions: [Edition; 4]) -> Option<Vec<u8>> {
    filled(nothing(), &editions.map(|edition| Some(edition.content)))
}

/// Collateral before anything is put into it.
pub(crate) fn nothing() -> QuoteCollateralV3 {
    QuoteCollateralV3 {
        pck_crl_issuer_chain: String::new(),
        root_ca_crl: Vec::new(),
        pck_crl: Vec::new(),
        tcb_info_issuer_chain: String::new(),
        tcb_info: String::new(),
        tcb_info_signature: Vec::new(),
        qe_identity_issuer_chain: String::new(),
        qe_identity: String::new(),
        qe_identity_signature: Vec::new(),
        pck_certificate_chain: None,
    }
}
