// SPDX-License-Identifier: Apache-2.0
//! Root ids: SHA-256 of a root key's SubjectPublicKeyInfo (DER).
//!
//! Only the names of roots are here. Their certificates, and which of them is accepted, are for
//! whoever verifies.

use alloy_primitives::{B256, b256};

/// `rootId` of Intel's SGX Root CA, which signs SGX and TDX hardware.
pub const INTEL_SGX_ROOT_ID: B256 =
    b256!("a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e");

/// `rootId` of AMD's root key for Milan (ARK-Milan).
pub const AMD_MILAN_ROOT_ID: B256 =
    b256!("9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9");

/// `rootId` of AMD's root key for Genoa, Bergamo and Siena (ARK-Genoa).
pub const AMD_GENOA_ROOT_ID: B256 =
    b256!("429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831");

/// `rootId` of AMD's root key for Turin (ARK-Turin).
pub const AMD_TURIN_ROOT_ID: B256 =
    b256!("4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08");

/// `rootId` of the AWS Nitro Enclaves root (G1).
pub const AWS_NITRO_ROOT_ID: B256 =
    b256!("f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225");

/// `rootId` of the development root, whose private key is public: that of all software evidence.
pub const DEVELOPMENT_ROOT_ID: B256 =
    b256!("5f18a1e34e91ef9649743f423dd57387014bf3e60ca49f7b51d8adfbcf70bfc4");

/// Whether `root_id` is the root of software evidence, which protects nothing.
pub fn is_development(root_id: B256) -> bool {
    root_id == DEVELOPMENT_ROOT_ID
}
