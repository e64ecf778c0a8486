// SPDX-License-Identifier: Apache-2.0
//! What to do about the contracts' errors, as their reference says.

/// The remedy for a refusal, given as name and arguments: `NotOwner { contractId: 0x…, caller: 0x… }`.
pub(crate) fn remedy(reason: &str) -> Option<&'static str> {
    let (name, arguments) = match reason.split_once(" { ") {
        Some((name, rest)) => (name, rest.matches(": ").count()),
        None => (reason, 0),
    };
    let found = rows().find(|(signature, _)| {
        signature.split_once('(').is_some_and(|(of, types)| {
            let types = types.trim_end_matches(')');
            let count = types.split(',').filter(|kind| !kind.is_empty()).count();
            // Two contracts have errors of one name, with other arguments.
            of == name && count == arguments
        })
    });
    found.map(|(_, remedy)| remedy)
}

/// Signature and remedy of every error: `| selector | signature | interface | meaning | remedy |`.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    REFERENCE.lines().filter_map(|line| {
        let row = line.strip_prefix("| `0x")?.strip_suffix(" |")?;
        let mut columns = row.split(" | ");
        let signature = columns.nth(1)?.trim_matches('`');
        Some((signature, columns.nth(2)?))
    })
}

const REFERENCE: &str = include_str!("../../../docs/reference/contracts.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_one_name_are_told_apart_by_their_arguments() {
        let oracle = remedy("NotOwner { contractId: 0x01, caller: 0x02 }").unwrap();
        assert_eq!(oracle, "Send from the account that `ownerOf` names.");
        let prepaid = remedy("NotOwner { caller: 0x02 }").unwrap();
        assert_eq!(prepaid, "Send from the account that `owner` names.");
    }

    #[test]
    fn every_error_of_the_interfaces_has_a_remedy() {
        assert!(rows().count() > 150, "{}", rows().count());
        for reason in [
            "NothingToRefund { contractId: 0x01, seq: 1 }",
            "ThresholdFixed { contractId: 0x01 }",
            "OverDayLimit { amount: 2, left: 1 }",
            "ZeroThreshold",
            "AlreadySuspended { subject: 1, teeKind: 2, id: 0x01 }",
        ] {
            assert!(remedy(reason).is_some(), "{reason}");
        }
        assert_eq!(remedy("AccessManagerNotReady { operationId: 0x01 }"), None);
        assert_eq!(remedy("nothing that is known"), None);
    }
}
