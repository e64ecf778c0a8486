// SPDX-License-Identifier: Apache-2.0
//! What whoever relies on a contract is told of its code.

use subrosa_client::UpgradeTerms;

/// Whether code can change, in words.
pub(super) fn in_words(terms: &UpgradeTerms) -> Vec<(&'static str, String)> {
    let can_change = match terms.delay {
        0 => "never changes".to_owned(),
        delay => format!("can be replaced by the owner {delay} seconds after an announcement"),
    };
    let mut pairs = vec![("code", can_change)];
    if let Some(announced) = &terms.announced {
        pairs.push(("announced code", announced.code_commitment.to_string()));
        pairs.push(("announced for", announced.ready_at.to_string()));
    } else if terms.delay != 0 {
        pairs.push(("announced code", "none".to_owned()));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use subrosa_client::Announced;

    use super::*;
    use crate::output;

    fn said(delay: u32, announced: Option<Announced>) -> String {
        output::pairs(&in_words(&UpgradeTerms { delay, announced }))
    }

    #[test]
    fn whoever_relies_on_code_is_told_whether_it_can_change() {
        assert_eq!(said(0, None), "code  never changes");
        let quiet = said(86_400, None);
        assert!(quiet.contains("86400 seconds after"), "{quiet}");
        assert!(quiet.contains("announced code  none"), "{quiet}");
        let announced = said(
            60,
            Some(Announced {
                code_commitment: B256::repeat_byte(7),
                ready_at: 1_800_000_000,
            }),
        );
        assert!(announced.contains("0x0707"), "{announced}");
        assert!(announced.contains("1800000000"), "{announced}");
    }
}
