// SPDX-License-Identifier: Apache-2.0
//! Between the structs of the bindings and their one definition in `subrosa_types::abi`.

use subrosa_types::abi;

use crate::bindings::{SubrosaOracle, SubrosaRegistry};

/// Conversions in both directions between structs with the same fields. Both sides are taken
/// apart completely, so a field that is added to one does not compile.
macro_rules! same_fields {
    ($binding:ident :: $name:ident { $($field:ident),* $(,)? }) => {
        impl From<abi::$name> for $binding::$name {
            fn from(abi::$name { $($field),* }: abi::$name) -> Self {
                Self { $($field),* }
            }
        }

        impl From<$binding::$name> for abi::$name {
            fn from($binding::$name { $($field),* }: $binding::$name) -> Self {
                Self { $($field),* }
            }
        }
    };
}

same_fields!(SubrosaOracle::Entry {
    contractId,
    seq,
    previousDigest,
    context,
    inputHash,
    execution,
    settlement,
    payment,
});

same_fields!(SubrosaOracle::FulfillmentItem {
    executionHash,
    settlement,
    payment,
    result,
    data,
});

same_fields!(SubrosaRegistry::EpochOpening {
    keyGroup,
    keyEpoch,
    publicKeyHash,
    configHash,
    setHash,
    recovery,
});

same_fields!(SubrosaRegistry::EpochAcknowledgement {
    keyGroup,
    keyEpoch,
    record,
    holdsPrevious,
});

same_fields!(SubrosaRegistry::EpochMember {
    measurementId,
    configHash,
});

same_fields!(SubrosaRegistry::SignerAdmission {
    signer,
    transferKeyHash,
    measurementId,
    configHash,
    startHash,
    rootId,
    teeKind,
    product,
    machineId,
    tcbStatus,
    tcbEvaluation,
    policyHash,
    evidenceHash,
    challengeBlock,
    challengeBlockHash,
    registrant,
    notAfter,
});

/// The same for structs that hold vectors of such structs.
macro_rules! same_fields_with_list {
    ($name:ident { $($field:ident),*; $list:ident }) => {
        impl From<abi::$name> for SubrosaOracle::$name {
            fn from(abi::$name { $($field,)* $list }: abi::$name) -> Self {
                let $list = $list.into_iter().map(Into::into).collect();
                Self { $($field,)* $list }
            }
        }

        impl From<SubrosaOracle::$name> for abi::$name {
            fn from(SubrosaOracle::$name { $($field,)* $list }: SubrosaOracle::$name) -> Self {
                let $list = $list.into_iter().map(Into::into).collect();
                Self { $($field,)* $list }
            }
        }
    };
}

same_fields_with_list!(FulfillmentGroup { contractId, start, previousDigest; items });

same_fields_with_list!(Fulfillment {
    anchorNumber,
    anchorHash,
    configHash,
    measurementId,
    keyGroup,
    keyEpoch,
    r,
    vs;
    groups
});

#[cfg(test)]
mod tests {
    use alloy::{
        primitives::{B256, U256},
        sol_types::{SolCall, SolValue},
    };

    use super::*;

    #[test]
    fn a_fulfillment_is_encoded_the_same_by_both() {
        let fulfillment = abi::Fulfillment {
            groups: vec![abi::FulfillmentGroup {
                contractId: B256::repeat_byte(1),
                start: U256::from(2),
                previousDigest: B256::repeat_byte(3),
                items: vec![abi::FulfillmentItem {
                    executionHash: B256::repeat_byte(4),
                    settlement: U256::from(5),
                    payment: U256::from(6),
                    result: U256::from(7),
                    data: vec![8; 40].into(),
                }],
            }],
            anchorNumber: 9,
            anchorHash: B256::repeat_byte(10),
            configHash: B256::repeat_byte(11),
            measurementId: B256::repeat_byte(12),
            keyGroup: 13,
            keyEpoch: 14,
            r: B256::repeat_byte(15),
            vs: B256::repeat_byte(16),
        };
        let call = SubrosaOracle::fulfillCall {
            fulfillment: fulfillment.clone().into(),
        };
        assert_eq!(call.abi_encode()[4..], fulfillment.abi_encode());
        assert_eq!(abi::Fulfillment::from(call.fulfillment), fulfillment);
    }
}
