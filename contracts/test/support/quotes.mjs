// SPDX-License-Identifier: Apache-2.0
// Quotes as Intel's quoting enclaves make them (Intel SGX DCAP Quoting Library API, appendix A), by keys of
// `intel.mjs`.

import { createHash } from 'node:crypto';
import { key, qeMrSigner } from './intel.mjs';

const vendor = Buffer.from('939a7233f79c4ca9940a0db3957f0607', 'hex');

/** The body of a TD's report, TDX 1.0; `fields` replaces any of it. With `svn2` one of TDX 1.5. */
export function tdReport(fields) {
  const zeros = (length) => Buffer.alloc(length);
  const all = {
    teeTcbSvn: Buffer.from('05010200000000000000000000000000', 'hex'),
    mrSeam: Buffer.alloc(48, 0x5e),
    mrSignerSeam: zeros(48),
    seamAttributes: zeros(8),
    tdAttributes: Buffer.from('0000001000000000', 'hex'),
    xfam: Buffer.from('e702060000000000', 'hex'),
    mrTd: createHash('sha384').update('mrtd').digest(),
    mrConfigId: zeros(48),
    mrOwner: zeros(48),
    mrOwnerConfig: zeros(48),
    rtmr0: createHash('sha384').update('rtmr0').digest(),
    rtmr1: createHash('sha384').update('rtmr1').digest(),
    rtmr2: createHash('sha384').update('rtmr2').digest(),
    rtmr3: zeros(48),
    reportData: zeros(64),
    ...fields,
  };
  return Buffer.concat(Object.values(all));
}

/** An enclave's report. */
export function enclaveReport({ attributes = Buffer.from('0500000000000000e700000000000000', 'hex'), mrEnclave = Buffer.alloc(32, 0xe1), mrSigner = Buffer.alloc(32, 0x51), prodId = 0, svn = 0, reportData }) {
  const report = Buffer.alloc(384);
  attributes.copy(report, 48);
  mrEnclave.copy(report, 64);
  mrSigner.copy(report, 128);
  report.writeUInt16LE(prodId, 256);
  report.writeUInt16LE(svn, 258);
  reportData.copy(report, 320);
  return report;
}

/** A quote of version 3 (SGX), 4 or 5 (TDX), certified by the machine's key. `chain` is its certification data. */
export function quote({ version, bodyType = 2, body, bodySize = body.length, machine, chain = Buffer.alloc(0), qe = {}, attestationKey = key('attestation') }) {
  const tdx = version > 3;
  const header = Buffer.alloc(48);
  header.writeUInt16LE(version, 0);
  header.writeUInt16LE(2, 2);
  header.writeUInt32LE(tdx ? 0x81 : 0, 4);
  vendor.copy(header, 12);
  const bodyHeader = Buffer.alloc(version === 5 ? 6 : 0);
  if (version === 5) {
    bodyHeader.writeUInt16LE(bodyType, 0);
    bodyHeader.writeUInt32LE(bodySize, 2);
  }
  const signed = Buffer.concat([header, bodyHeader, body]);

  const vouched = Buffer.alloc(32, 0xa0);
  const reportData = Buffer.alloc(64);
  createHash('sha256').update(attestationKey.public).update(vouched).digest().copy(reportData);
  const report = enclaveReport({
    attributes: Buffer.from('1100000000000000e700000000000000', 'hex'),
    mrSigner: qeMrSigner,
    prodId: tdx ? 2 : 1,
    svn: 4,
    reportData,
    ...qe,
  });
  const certification = Buffer.concat([
    report,
    machine.key.sign(report),
    Buffer.from([32, 0]),
    vouched,
    lengthPrefixed(5, chain),
  ]);
  const signature = Buffer.concat([
    attestationKey.sign(signed),
    attestationKey.public,
    tdx ? lengthPrefixed(6, certification) : certification,
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(signature.length);
  return Buffer.concat([signed, length, signature]);
}

function lengthPrefixed(type, data) {
  const head = Buffer.alloc(6);
  head.writeUInt16LE(type, 0);
  head.writeUInt32LE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** A PEM chain, as in certification data. */
export function pem(...certificates) {
  const lines = certificates.map(
    (der) =>
      `-----BEGIN CERTIFICATE-----\n${der.toString('base64').match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`,
  );
  return Buffer.from(`${lines.join('')}\0`);
}
