// SPDX-License-Identifier: Apache-2.0
//! The root under which anyone can make evidence.

use alloy_primitives::{B256, b256};

/// Id of the root that vouches for the software TEE: anyone can make evidence under it.
pub(crate) const DEVELOPMENT_ROOT_ID: B256 =
    b256!("0x5f18a1e34e91ef9649743f423dd57387014bf3e60ca49f7b51d8adfbcf70bfc4");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_root_is_the_one_of_the_software_tee() {
        assert_eq!(DEVELOPMENT_ROOT_ID.0, subrosa_tee::DEVELOPMENT_ROOT_ID);
    }
}
