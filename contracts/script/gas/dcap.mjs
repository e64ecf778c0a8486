// SPDX-License-Identifier: Apache-2.0
// Registering signers by their quotes. The hierarchy is a stand-in for Intel's; certificates, lists, TCB info and
// quotes have the form and the size of genuine ones.

import { createHash } from 'node:crypto';
import { bytesToHex, concat, encodeAbiParameters, hexToBytes, keccak256, parseEventLogs, toHex } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { edition, pckAuthorityId, rootId } from '../dcap/evidence.mjs';
import { hierarchy, moduleIdentity, qeIdentity, revocationList, tcbInfo } from '../../test/support/intel.mjs';
import { enclaveReport, pem, quote, tdReport } from '../../test/support/quotes.mjs';

const day = 86_400;
const evaluation = 20;
/** Revoked PCK certificates in Intel's lists of 2025 for the Platform CA. */
const revoked = 46;

/** TDX, and the 2.9 KB of TCB info of a processor with two levels. */
const tdx = {
  teeKind: 1,
  fmspc: Buffer.from('b0c06f000000', 'hex'),
  cpuSvn: Buffer.from('02020202030100050000000000000000', 'hex'),
  length: 2934,
  levels: [
    ['02020202030100050000000000000000', 11, '05000200000000000000000000000000', 'UpToDate'],
    ['02020202030100050000000000000000', 5, '05000200000000000000000000000000', 'OutOfDate'],
  ],
};
/** SGX, and the 6.6 KB of a processor with eleven levels. */
const sgx = {
  teeKind: 2,
  fmspc: Buffer.from('00606a000000', 'hex'),
  cpuSvn: Buffer.from('0e0e0303ffff01000000000000000000', 'hex'),
  length: 6578,
  levels: Array.from({ length: 11 }, (_, index) => [
    Buffer.from([14 - index, 14 - index, 3, 3, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]).toString('hex'),
    13,
    '',
    index === 0 ? 'UpToDate' : 'OutOfDate',
  ]),
};

/** Gas of each scenario's transactions. `deploy` takes an artifact's name and constructor arguments. */
export async function measureDcap({ chain, deploy, governor, relayer, registry, configHash, random }) {
  const { timestamp } = await chain.client.getBlock();
  const intel = hierarchy(Number(timestamp));
  const root = rootId(intel.rootCertificate);
  const stage = { chain, governor, relayer, registry, configHash, random, intel, root, now: Number(timestamp) };
  const dcap = (stage.dcap = await deploy('SubrosaDcap', [[root]]));
  const govern = (functionName, args) => chain.send(governor, { ...registry, functionName, args });
  await govern('setDcap', [dcap.address, 1 << 1]);
  for (const { teeKind } of [tdx, sgx]) await govern('setFamily', [teeKind, evaluation - 1, false]);
  await govern('addMeasurement', [root, tdx.teeKind, keccak256(measurement(tdReport({})))]);
  await govern('addMeasurement', [root, sgx.teeKind, keccak256(bytesToHex(Buffer.alloc(32, 0xe1)))]);
  await chain.send(governor, { ...dcap, functionName: 'putConfigRegister', args: [configHash] });

  // Whatever is on neither list is in nobody's cache: every machine has a certificate of its own.
  const cold = (await put(stage, tdx)) + (await register(stage, tdx, 'first'));
  const cached = await register(stage, tdx, 'second');
  const whole = await register(stage, tdx, 'third', true);
  stage.dcap = await deploy('SubrosaDcap', [[root]]);
  await govern('setDcap', [stage.dcap.address, 1 << 1]);
  const large = (await put(stage, sgx)) + (await register(stage, sgx, 'fourth'));
  return {
    register_signer_dcap_cached: cached,
    register_signer_dcap_cached_whole_quote: whole,
    register_signer_dcap_cold: cold,
    register_signer_dcap_cold_large: large,
  };
}

/** Submits all collateral at once. */
async function put(stage, kind) {
  const { chain, relayer, dcap, intel, now } = stage;
  const dates = { issued: now - day, until: now + 29 * day };
  const isTdx = kind === tdx;
  const info = tcbInfo({
    tdx: isTdx,
    ...dates,
    fmspc: kind.fmspc,
    evaluation,
    levels: kind.levels.map(([svns, pcesvn, tdxSvns, status]) => ({
      sgx: Buffer.from(svns, 'hex'),
      pcesvn,
      tdx: Buffer.from(tdxSvns, 'hex'),
      status,
    })),
    modules: [
      moduleIdentity({ id: 'TDX_03', levels: [[3, 'UpToDate']] }),
      moduleIdentity({ id: 'TDX_01', levels: [[4, 'UpToDate'], [2, 'OutOfDate']] }),
    ],
    length: kind.length,
  });
  if (info.length > kind.length + 200) throw new Error(`TCB info has ${info.length} bytes`);
  const identity = qeIdentity({ tdx: isTdx, ...dates, evaluation });
  const list = { from: now - day, until: now + 29 * day };
  const serials = Array.from({ length: revoked }, (_, index) => intel.serial(`revoked ${index}`));
  const collateral = {
    rootCertificate: intel.rootCertificate,
    rootCrl: revocationList(intel.root, { ...list, until: now + 365 * day, serials: [] }),
    pckAuthority: intel.authorityCertificate,
    pckCrl: revocationList(intel.authority, { ...list, serials }),
    tcbSigner: intel.signerCertificate,
    tcbInfo: Buffer.from(info),
    tcbInfoSignature: intel.signer.key.sign(Buffer.from(info)),
    qeIdentity: Buffer.from(identity),
    qeIdentitySignature: intel.signer.key.sign(Buffer.from(identity)),
  };
  const args = [Object.fromEntries(Object.entries(collateral).map(([field, bytes]) => [field, bytesToHex(bytes)]))];
  const receipt = await chain.send(relayer, { ...dcap, functionName: 'putCollateral', args });
  const stored = parseEventLogs({ abi: dcap.abi, logs: receipt.logs, eventName: 'CollateralStored' });
  if (stored.length !== 4) throw new Error(`${stored.length} pieces of collateral were kept`);
  stage.editions = {
    tcbInfo: edition(collateral.tcbInfo, intel.signerCertificate),
    qeIdentity: edition(collateral.qeIdentity, intel.signerCertificate),
  };
  return Number(receipt.gasUsed);
}

/** Registers a fresh signer on the machine `id`. */
async function register(stage, kind, id, whole = false) {
  const { chain, relayer, registry, configHash, intel, random, root, editions } = stage;
  const block = await chain.client.getBlock();
  const signer = privateKeyToAddress(bytesToHex(random(32)));
  const transferKeyHash = bytesToHex(random(32));
  const reportData = Buffer.concat([
    sha256(hexToBytes(binding(signer, transferKeyHash, configHash, startHash))),
    registrationChallenge(block.hash, relayer.address),
  ]);
  const machine = intel.machine(id, { cpuSvn: kind.cpuSvn, pceSvn: 11 + (kind === sgx ? 2 : 0), fmspc: kind.fmspc });
  const chainPem = pem(machine.certificate, intel.authorityCertificate, intel.rootCertificate);
  const evidence = quote({
    version: kind === tdx ? 4 : 3,
    body: kind === tdx ? tdReport({ rtmr3: configRegister(configHash), reportData }) : enclaveReport({ reportData }),
    machine,
    chain: whole ? chainPem : undefined,
  });
  const registration = {
    quote: bytesToHex(evidence),
    pckCertificate: bytesToHex(machine.certificate),
    rootId: root,
    pckAuthority: pckAuthorityId(root, intel.authorityCertificate),
    ...editions,
    signer,
    transferKeyHash,
    configHash,
    startHash,
    challengeBlock: block.number,
  };
  const receipt = await chain.send(relayer, { ...registry, functionName: 'registerSignerDcap', args: [registration] });
  const [admitted] = parseEventLogs({ abi: registry.abi, logs: receipt.logs, eventName: 'SignerAdmitted' });
  if (admitted.args.signer !== signer || admitted.args.tcbStatus !== 1) throw new Error('the signer was not admitted');
  return Number(receipt.gasUsed);
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** Second half of the report data that registers a signer. */
export function registrationChallenge(blockHash, registrant) {
  return sha256(hexToBytes(concat([keccak256(toHex('subrosa.v1.registration-challenge')), blockHash, registrant])));
}

/** What host-asserted headers start from: H["start"] of nothing. */
export const startHash = keccak256(concat([keccak256(toHex('subrosa.v1.start')), keccak256('0x')]));

/** abi.encode(`ReportBinding`). */
export function binding(signer, transferKeyHash, configHash, startHash) {
  return encodeAbiParameters(
    ['bytes32', 'uint16', 'address', 'bytes32', 'bytes32', 'bytes32'].map((type) => ({ type })),
    [keccak256(toHex('subrosa.v1.report-data')), 1, signer, transferKeyHash, configHash, startHash],
  );
}

/** RTMR3 of a TD started with a configuration. */
export function configRegister(configHash) {
  const sha384 = (bytes) => createHash('sha384').update(bytes).digest();
  return sha384(Buffer.concat([Buffer.alloc(48), sha384(hexToBytes(configHash))]));
}

/** MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2. */
export function measurement(report) {
  return bytesToHex(Buffer.concat([report.subarray(136, 184), report.subarray(328, 472)]));
}
