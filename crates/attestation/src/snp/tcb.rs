// SPDX-License-Identifier: Apache-2.0
//! TCB_VERSION, whose bytes mean different things on different products.

use subrosa_evidence::Product;

use crate::Firmware;

/// The eight bytes of a report's TCB_VERSION, in the order in which the report has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TcbVersion(pub(super) [u8; 8]);

impl TcbVersion {
    /// The security version numbers, read as `product` writes them:
    ///
    /// | byte | 0 | 1 | 2 | 3 | 4–5 | 6 | 7 |
    /// |---|---|---|---|---|---|---|---|
    /// | Milan, Genoa | boot loader | TEE | reserved | reserved | reserved | SNP | microcode |
    /// | Turin | FMC | boot loader | TEE | SNP | reserved | reserved | microcode |
    ///
    /// `None` if a reserved byte is not zero, or if the product has no such thing.
    ///
    /// Source: SEV-SNP Firmware ABI (AMD 56860), TCB_VERSION, of Milan and Genoa and of Turin.
    pub(super) fn firmware(self, product: Product) -> Option<Firmware> {
        match (product, self.0) {
            (Product::Milan | Product::Genoa, [bootloader, tee, 0, 0, 0, 0, snp, microcode]) => {
                Some(Firmware {
                    fmc: 0,
                    bootloader,
                    tee,
                    snp,
                    microcode,
                })
            }
            (Product::Turin, [fmc, bootloader, tee, snp, 0, 0, 0, microcode]) => Some(Firmware {
                fmc,
                bootloader,
                tee,
                snp,
                microcode,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_product_has_its_own_order() {
        let old = TcbVersion([1, 2, 0, 0, 0, 0, 3, 4]);
        for product in [Product::Milan, Product::Genoa] {
            assert_eq!(
                old.firmware(product).unwrap().to_string(),
                "fmc 0 bootloader 1 tee 2 snp 3 microcode 4"
            );
        }
        assert_eq!(old.firmware(Product::Turin), None);
        let new = TcbVersion([9, 1, 2, 3, 0, 0, 0, 4]);
        assert_eq!(
            new.firmware(Product::Turin).unwrap().to_string(),
            "fmc 9 bootloader 1 tee 2 snp 3 microcode 4"
        );
        assert_eq!(new.firmware(Product::Milan), None);
        assert_eq!(new.firmware(Product::Nitro), None);
    }

    #[test]
    fn reserved_bytes_are_zero() {
        for byte in 0..8 {
            let mut tcb = [0; 8];
            tcb[byte] = 1;
            let tcb = TcbVersion(tcb);
            assert_eq!(
                tcb.firmware(Product::Genoa).is_none(),
                (2..=5).contains(&byte)
            );
            assert_eq!(
                tcb.firmware(Product::Turin).is_none(),
                (4..=6).contains(&byte)
            );
        }
    }
}
