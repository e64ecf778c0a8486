// SPDX-License-Identifier: Apache-2.0
//! Which processor this is.

/// Family and model of the running processor, as CPUID leaf 1 states them: for reports of
/// version 2, which do not. In an SEV-SNP guest the leaf comes from a page that the secure
/// processor has checked.
pub(crate) fn running() -> Option<(u8, u8)> {
    #[cfg(target_arch = "x86_64")]
    {
        family_and_model(std::arch::x86_64::__cpuid(1).eax)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        None
    }
}

/// AMD64 Architecture Programmer's Manual, volume 3, CPUID Fn0000_0001_EAX: extended family and
/// model count when the base family is 0xf.
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "AMD alone has it")
)]
fn family_and_model(eax: u32) -> Option<(u8, u8)> {
    let [base_family, base_model] = [(eax >> 8) & 0xf, (eax >> 4) & 0xf];
    if base_family != 0xf {
        return None;
    }
    let family = base_family + ((eax >> 20) & 0xff);
    let model = (((eax >> 16) & 0xf) << 4) | base_model;
    Some((u8::try_from(family).ok()?, u8::try_from(model).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_signature_is_decoded_as_amd_documents_it() {
        assert_eq!(family_and_model(0x00a1_0f11), Some((0x19, 0x11)));
        assert_eq!(family_and_model(0x00a0_0f11), Some((0x19, 0x01)));
        assert_eq!(family_and_model(0x00b0_0f21), Some((0x1a, 0x02)));
        assert_eq!(family_and_model(0x0008_06f8), None);
    }
}
