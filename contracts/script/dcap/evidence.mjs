// SPDX-License-Identifier: Apache-2.0
// From what machines and Intel hand out (quotes, PEM chains, collateral in JSON) to what SubrosaDcap takes.

import { createHash } from 'node:crypto';
import { bytesToHex, encodeAbiParameters, hexToBigInt, keccak256, toHex } from 'viem';

/** Intel SGX DCAP Quoting Library API, appendix A: bytes of the header, of the bodies, of the key and its signature. */
const header = 48;
const bodies = { 2: 584, 3: 648, 4: 885 };
const signatureAndKey = 128;
const qeReport = 384 + 64 + 2 + 32;

/** The certificates of a PEM chain, DER, leaf first. */
export function pemChain(pem) {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)].map(([, base64]) =>
    Buffer.from(base64, 'base64'),
  );
}

/** Where a quote's certification data is: `type` and `length` of it start at `place`. Throws if it is cut short. */
export function certification(quote) {
  const version = quote.readUInt16LE(0);
  const body = version === 3 ? 384 : version === 4 ? 584 : 6 + bodies[quote.readUInt16LE(header)];
  const signed = header + body;
  const place = signed + 4 + signatureAndKey + (version === 3 ? 0 : 6) + qeReport;
  const type = quote.readUInt16LE(place);
  const length = quote.readUInt32LE(place + 2);
  return { version, signed, place, type, data: quote.subarray(place + 6, place + 6 + length) };
}

/** The quote without its certification data, all lengths set accordingly; see `Quotes.sol`. */
export function withoutCertification(quote) {
  const { version, signed, place } = certification(quote);
  const short = Buffer.from(quote.subarray(0, place + 6));
  short.writeUInt32LE(0, place + 2);
  short.writeUInt32LE(short.length - signed - 4, signed);
  if (version !== 3) short.writeUInt32LE(qeReport + 6, signed + 4 + signatureAndKey + 2);
  return short;
}

/** The PCK certificate, DER: the quote's own, or the collateral's if the quote has none. */
export function pckCertificate(quote, collateral) {
  const { type, data } = certification(quote);
  const pem = type === 5 ? data.toString('latin1') : (collateral?.pck_certificate_chain ?? '');
  return pemChain(pem)[0] ?? Buffer.alloc(0);
}

/** A `DcapCollateral` from collateral in the form of dcap-qvl. `root` (DER) replaces the root of the chains. */
export function dcapCollateral(collateral, root) {
  const signers = pemChain(collateral.tcb_info_issuer_chain);
  const [authority] = pemChain(collateral.pck_crl_issuer_chain);
  const hex = (bytes) => bytesToHex(bytes);
  return {
    rootCertificate: hex(root ?? signers.at(-1)),
    rootCrl: `0x${collateral.root_ca_crl}`,
    pckAuthority: hex(authority),
    pckCrl: `0x${collateral.pck_crl}`,
    tcbSigner: hex(signers[0]),
    tcbInfo: hex(Buffer.from(collateral.tcb_info)),
    tcbInfoSignature: `0x${collateral.tcb_info_signature}`,
    qeIdentity: hex(Buffer.from(collateral.qe_identity)),
    qeIdentitySignature: `0x${collateral.qe_identity_signature}`,
  };
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo. */
export function rootId(certificate) {
  return `0x${createHash('sha256').update(p256Key(certificate).spki).digest('hex')}`;
}

/** `pckAuthorityId` of a PCK CA's certificate under a root. */
export function pckAuthorityId(root, certificate) {
  const { spki, x, y } = p256Key(certificate);
  const types = ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256'];
  const domain = keccak256(toHex('subrosa.v1.dcap-pck-authority'));
  return keccak256(
    encodeAbiParameters(
      types.map((type) => ({ type })),
      [domain, root, keccak256(subject(certificate, spki)), x, y, serial(certificate)],
    ),
  );
}

/** Which edition a TCB info or QE identity (JSON) is that a certificate signed. */
export function edition(json, signer) {
  const sha256 = (bytes) => `0x${createHash('sha256').update(bytes).digest('hex')}`;
  const signed = signer.subarray(element(signer, 0).content, element(signer, element(signer, 0).content).next);
  return keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }], [sha256(json), sha256(signed)]));
}

const spkiPrefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

function p256Key(certificate) {
  const start = certificate.indexOf(spkiPrefix);
  const spki = certificate.subarray(start, start + spkiPrefix.length + 65);
  const half = (from) => hexToBigInt(bytesToHex(spki.subarray(from, from + 32)));
  return { spki, x: half(spkiPrefix.length + 1), y: half(spkiPrefix.length + 33) };
}

/** The distinguished name before the key: found by walking the elements of the TBSCertificate. */
function subject(certificate, spki) {
  const end = certificate.indexOf(spki);
  let at = tbs(certificate);
  for (;;) {
    const { next } = element(certificate, at);
    if (next === end) return bytesToHex(certificate.subarray(at, next));
    at = next;
  }
}

/** The low 64 bits of the serial number, which follows the version. */
function serial(certificate) {
  const { next: start } = element(certificate, tbs(certificate));
  const { content, next } = element(certificate, start);
  return BigInt.asUintN(64, hexToBigInt(bytesToHex(certificate.subarray(content, next))));
}

/** Where the elements of the TBSCertificate start. */
function tbs(certificate) {
  return element(certificate, element(certificate, 0).content).content;
}

/** Where the content of the DER element at `at` starts, and what follows the element. */
function element(der, at) {
  const short = der[at + 1];
  const width = short < 0x80 ? 0 : short & 0x7f;
  const length = width === 0 ? short : der.readUIntBE(at + 2, width);
  return { content: at + 2 + width, next: at + 2 + width + length };
}
