// SPDX-License-Identifier: Apache-2.0
//! What a vendor answers, and what is kept of it.

use std::sync::Arc;

/// What came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// The issuers' certificates from the header, PEM.
    pub(crate) chain: String,
}

/// What a publication says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// TCB info or QE identity: the exact bytes that are signed, r ‖ s, and the PEM chain of the
    /// signer.
    Text {
        chain: String,
        text: String,
        signature: Vec<u8>,
    },
    /// A revocation list, DER, and the PEM chain of its issuer where the source gives one.
    List { chain: String, der: Vec<u8> },
    /// Certificates, DER, each signed by the next.
    Certificates(Vec<Vec<u8>>),
}

/// One edition of a publication, fit for use, and when it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edition {
    pub(crate) content: Arc<Content>,
    /// From when, Unix seconds. Of two, the later is the current one.
    pub(crate) issued: u64,
    /// Until when it is in force, Unix seconds.
    pub(crate) expires: u64,
}

impl Edition {
    /// The later edition of those that are `held` and `brought` by evidence; of equals, the held
    /// one. What a vendor has published since counts: a revocation would else be undone by whoever
    /// attaches the list from before it. What ran out is returned as well if it is the later one,
    /// and nothing is accepted on it.
    pub(crate) fn later(held: Option<Self>, brought: Option<Self>) -> Option<Self> {
        match (held, brought) {
            (Some(held), Some(brought)) if held.issued < brought.issued => Some(brought),
            (Some(held), _) => Some(held),
            (None, brought) => brought,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_editions_the_later_counts_and_of_equals_the_one_that_is_held() {
        let edition = |name: u8, issued| Edition {
            content: Arc::new(Content::Certificates(vec![vec![name]])),
            issued,
            expires: 100,
        };
        let (held, brought) = (edition(1, 10), |issued| Some(edition(2, issued)));
        for (brought, expected) in [
            (brought(9), &held),
            (brought(10), &held),
            (None, &held),
            (brought(11), &edition(2, 11)),
        ] {
            let later = Edition::later(Some(held.clone()), brought);
            assert_eq!(later.as_ref(), Some(expected));
        }
        assert_eq!(Edition::later(None, brought(9)), brought(9));
        assert_eq!(Edition::later(None, None), None);
    }
}
