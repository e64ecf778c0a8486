// SPDX-License-Identifier: Apache-2.0
//! From a platform's key to the key that is handed out.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// HKDF-SHA256 (RFC 5869) with the platform's key as input keying material, and the platform's
/// name, the configuration hash and the context as info, each preceded by its length.
///
/// The platform's key already depends on the measurement; the configuration is not in any
/// measurement that SEV-SNP or SGX mixes in, so it comes in here, where only measured code can
/// leave it out.
pub(crate) fn sealing_key(
    platform: &[u8],
    key: &[u8],
    config_hash: &[u8; 32],
    context: &[u8],
) -> Option<Zeroizing<[u8; 32]>> {
    let lengths = [platform.len(), config_hash.len(), context.len()]
        .map(|length| u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    let [platform_length, config_length, context_length] = &lengths;
    let info: [&[u8]; 6] = [
        platform_length,
        platform,
        config_length,
        config_hash,
        context_length,
        context,
    ];
    let mut sealing = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(SALT), key)
        .expand_multi_info(&info, sealing.as_mut())
        .ok()?;
    Some(sealing)
}

const SALT: &[u8] = b"subrosa.v1.sealing-key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_follows_platform_platform_key_configuration_and_context() {
        let key = |platform: &[u8], key: u8, config: u8, context: &[u8]| {
            *sealing_key(platform, &[key; 16], &[config; 32], context).unwrap()
        };
        let reference = key(b"sgx", 1, 2, b"ab");
        assert_eq!(reference, key(b"sgx", 1, 2, b"ab"));
        for other in [
            key(b"snp", 1, 2, b"ab"),
            key(b"sgx", 9, 2, b"ab"),
            key(b"sgx", 1, 9, b"ab"),
            key(b"sgx", 1, 2, b"a"),
            key(b"sgx", 1, 2, b""),
        ] {
            assert_ne!(reference, other);
        }
    }
}
