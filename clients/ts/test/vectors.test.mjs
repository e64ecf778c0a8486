// SPDX-License-Identifier: Apache-2.0
// The protocol's hashes, words and slots, written down once more from the comments in
// SubrosaTypes.sol, against fixtures/protocol/vectors.json, which the Rust types produce.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  concat,
  encodeAbiParameters,
  hashTypedData,
  keccak256,
  numberToHex,
  parseAbiParameters,
  recoverAddress,
  stringToHex,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/protocol/vectors.json', import.meta.url), 'utf8'),
)
const CASES = 4

/** Runs `check` on each case of this kind, and notes that the kind is checked. */
const checked = new Set()
const each = (kind, check) => {
  checked.add(kind)
  test(kind, async () => {
    assert.equal(vectors[kind].length, CASES)
    for (const [index, vector] of vectors[kind].entries()) await check(vector, `${kind} ${index}`)
  })
}

const domain = (name) => keccak256(stringToHex(`subrosa.v1.${name}`))
const encode = (types, values) => encodeAbiParameters(parseAbiParameters(types), values)
/** H["name"](values): keccak256(abi.encode(domain, values…)). */
const hash = (name, types, values) => keccak256(encode(`bytes32, ${types}`, [domain(name), ...values]))
const sha256 = (hex) => `0x${createHash('sha256').update(Buffer.from(hex.slice(2), 'hex')).digest('hex')}`
const clearLow = (word, bits) => numberToHex((BigInt(word) >> bits) << bits, { size: 32 })

/** Packs [value, bits] pairs, high to low, into a word; each value must fit. */
const pack = (...fields) => {
  let word = 0n
  let width = 0n
  for (const [value, bits] of fields) {
    assert.ok(BigInt(value) < 1n << BigInt(bits))
    word = (word << BigInt(bits)) | BigInt(value)
    width += BigInt(bits)
  }
  assert.equal(width, 256n)
  return numberToHex(word, { size: 32 })
}

// Identifiers, commitments, digests.

each('contractId', (v, name) => {
  const id = hash('contract-id', 'uint256, address, address, uint256', [
    BigInt(v.chainId),
    v.oracle,
    v.deployer,
    BigInt(v.nonce),
  ])
  assert.equal(id, v.contractId, name)
})

each('codeCommitment', (v, name) => {
  const values = [v.salt, Number(v.engine), keccak256(v.code), keccak256(v.init)]
  assert.equal(hash('code', 'bytes32, uint8, bytes32, bytes32', values), v.commitment, name)
})

each('entry', (v, name) => {
  const e = v.entry
  const executionHash = keccak256(
    encode('bytes32, bytes32, uint256, address', [e.context, e.inputHash, BigInt(e.execution), e.refundTo]),
  )
  assert.equal(executionHash, v.executionHash, name)
  assert.equal(BigInt(e.payment) & ((1n << 48n) - 1n), BigInt(v.seq), name)
  assert.equal(entryDigest(v.chainId, v.oracle, e, executionHash), v.digest, name)
})

function entryDigest(chainId, oracle, entry, executionHash) {
  const full = hash('entry', 'uint256, address, bytes32, bytes32, bytes32, uint256, uint256', [
    BigInt(chainId),
    oracle,
    entry.contractId,
    entry.previousDigest,
    executionHash,
    BigInt(entry.settlement),
    BigInt(entry.payment),
  ])
  return clearLow(full, 8n)
}

each('outcome', (v, name) => assert.equal(outcomeHash(v), v.outcomeHash, name))

function outcomeHash(outcome) {
  const tag = concat([
    domain('outcome').slice(0, 62),
    numberToHex(outcome.status, { size: 1 }),
    numberToHex(outcome.fuelBucket, { size: 1 }),
  ])
  return keccak256(concat([outcome.outputHash, outcome.sealedOutputHash, outcome.sealedLogsHash, tag]))
}

each('result', (v, name) => {
  const values = [v.digest, v.outcomeHash, v.previousCommitment, v.newCommitment]
  assert.equal(resultHash(...values), v.resultHash, name)
})

function resultHash(digest, outcome, previous, next) {
  assert.equal(clearLow(previous, 48n), previous)
  const tagged = concat([previous.slice(0, 54), domain('result').slice(0, 14)])
  return keccak256(concat([digest, outcome, tagged, next]))
}

each('outstanding', (v, name) => {
  const values = [v.digest, Number(v.status), v.outputHash, BigInt(v.held), BigInt(v.since)]
  const full = keccak256(encode('bytes32, uint8, bytes32, uint256, uint256', values))
  assert.equal(clearLow(full, 8n), v.hash, name)
})

each('epochRecord', ({ opening, record }, name) => {
  const values = [
    Number(opening.keyGroup),
    Number(opening.keyEpoch),
    opening.publicKeyHash,
    opening.configHash,
    opening.setHash,
    BigInt(opening.recovery),
  ]
  assert.equal(hash('epoch', 'uint32, uint32, bytes32, bytes32, bytes32, uint256', values), record, name)
})

each('epochKey', (v, name) => {
  assert.equal(v.xwing.length, 2 + 2 * 1216)
  assert.equal(hash('epoch-key', 'bytes32, bytes32', [keccak256(v.xwing), v.x25519]), v.publicKeyHash, name)
})

each('measurement', (v, name) => {
  const values = [v.rootId, Number(v.teeKind), v.measurementHash]
  assert.equal(hash('measurement', 'bytes32, uint8, bytes32', values), v.measurementId, name)
})

each('product', (v, name) => {
  assert.equal(hash('product', 'uint8, bytes32', [Number(v.teeKind), keccak256(v.name)]), v.product, name)
})

const MEMBERS = parseAbiParameters(['EpochMember[] members', 'struct EpochMember { bytes32 measurementId; bytes32 configHash; }'])

each('epochSet', (v, name) => {
  const members = v.measurementIds.map((measurementId, i) => ({ measurementId, configHash: v.configHashes[i] }))
  assert.equal(hash('epoch-set', 'bytes32', [keccak256(encodeAbiParameters(MEMBERS, [members]))]), v.setHash, name)
})

const CONFIG = parseAbiParameters([
  'EnclaveConfig config',
  'struct EnclaveConfig { uint16 version; uint256 chainId; address registry; bytes32 registryCodeHash; address oracle; bytes32 oracleCodeHash; uint8 headerTrust; bytes headerTrustParameters; bytes32[] evidenceRoots; bytes32 policyHash; uint32 keyGroup; uint256 recovery; }',
])

each('config', (v, name) => {
  assert.equal(encodeAbiParameters(CONFIG, [v.config]), v.encoded, name)
  const preimage = encodeAbiParameters([{ type: 'bytes32' }, ...CONFIG], [domain('config'), v.config])
  assert.equal(keccak256(preimage), v.configHash, name)
})

each('reportData', (v, name) => {
  const start = encode('bytes32, bytes32', [domain('start'), keccak256(v.checkpoint)])
  assert.equal(keccak256(start), v.startHash, name)
  const binding = encode('bytes32, uint16, address, bytes32, bytes32, bytes32', [
    domain('report-data'),
    Number(v.version),
    v.signer,
    v.transferKeyHash,
    v.configHash,
    v.startHash,
  ])
  const client = sha256(concat([domain('client-challenge'), v.challenge]))
  assert.equal(concat([sha256(binding), client]), v.reportData, name)
  const registration = sha256(concat([domain('registration-challenge'), v.blockHash, v.registrant]))
  assert.equal(concat([sha256(binding), registration]), v.registrationReportData, name)
})

// Packed words.

each('executionWord', (v, name) => {
  const word = pack(
    [v.kind, 8],
    [v.flags, 16],
    [v.fuelLimit, 64],
    [v.codeVersion, 16],
    [v.runtimeGeneration, 16],
    [v.finalityClass, 8],
    [v.blockNumber, 48],
    [v.blockTimestamp, 48],
    [v.outputLimit, 32],
  )
  assert.equal(word, v.word, name)
})

each('settlementWord', (v, name) => {
  const word = pack([v.requester, 160], [v.callbackGasLimit, 32], [v.flags, 16], [v.deadline, 48])
  assert.equal(word, v.word, name)
})

each('paymentWord', (v, name) => {
  const word = pack(
    [v.landing, 48],
    [v.callback, 48],
    [v.charge, 48],
    [v.keyGroup, 32],
    [v.keyEpoch, 32],
    [v.seq, 48],
  )
  assert.equal(word, v.word, name)
})

each('resultWord', (v, name) => {
  const commitment = BigInt(v.newCommitment) >> 48n
  assert.equal(clearLow(v.newCommitment, 48n), v.newCommitment)
  const low = [
    [v.status, 8],
    [v.fuelBucket, 8],
    [v.hasLogs ? 1 : 0, 1],
    [v.outputLength, 31],
  ]
  assert.equal(pack([commitment, 208], ...low), v.word, name)
})

each('headWord', (v, name) => {
  const commitment = BigInt(v.commitment) >> 48n
  const flags = (v.marked ? 1 : 0) | (v.threshold ? 2 : 0) | (v.stateless ? 4 : 0) | (Number(v.signers) << 3)
  const rest = v.stateless
    ? [[0, 112], [v.pending, 64], [v.keyEpoch, 32]]
    : [[commitment, 208]]
  assert.equal(pack(...rest, [flags, 8], [v.seq, 40]), v.word, name)
  assert.equal(pack([commitment, 208], [v.seq, 48]), v.start, name)
})

each('logWord', (v, name) => {
  const names = [
    'stateless',
    'restricted',
    'paused',
    'lastApart',
    'world',
    'abandonedOnRetirement',
    'abandoned',
  ]
  const flags = names.reduce((set, flag, bit) => set | (v[flag] ? 1 << bit : 0), 0)
  const word = pack(
    [v.charge, 20],
    [v.gasPriceFloor, 16],
    [v.baseFeeSixteenths, 8],
    [v.minimumDeadline, 24],
    [v.maximumCallbackGas, 24],
    [flags | (Number(v.furtherSigners) << 7), 12],
    [v.finalityClass, 8],
    [v.runtimeGeneration, 16],
    [v.codeVersion, 16],
    [v.keyEpoch, 32],
    [v.keyGroup, 32],
    [v.nextSeq, 48],
  )
  assert.equal(word, v.word, name)
  assert.equal(unpackDecimal(v.charge), BigInt(v.chargeGwei), name)
  assert.equal(gasPrice(v, BigInt(v.baseFee)), BigInt(v.gasPrice), name)
})

each('termsWord', (v, name) => {
  const word = pack(
    [v.executionFlags, 8],
    [v.settlementFlags, 8],
    [v.fuelLimit, 64],
    [v.callbackGasLimit, 32],
    [v.deadline, 48],
    [v.outputLimit, 24],
    [v.keyEpoch, 32],
    [v.codeVersion === null ? 0 : Number(v.codeVersion) + 1, 16],
    [packDecimal(BigInt(v.maximumChargeGwei), 0x7fffn), 20],
    [0, 4],
  )
  assert.equal(word, v.word, name)
})

// Prices.

/** The smallest number of few digits that is not below `value`: mantissa ‖ exponent 5. */
function packDecimal(value, largest) {
  let [mantissa, exponent] = [value, 0n]
  while (mantissa > largest) [mantissa, exponent] = [ceil(mantissa, 10n), exponent + 1n]
  return (mantissa << 5n) | exponent
}

function unpackDecimal(packed) {
  return (BigInt(packed) >> 5n) * 10n ** (BigInt(packed) & 31n)
}

function ceil(a, b) {
  return (a + b - 1n) / b
}

function gasPrice({ baseFeeSixteenths, gasPriceFloor }, baseFee) {
  const price = ceil(baseFee * BigInt(baseFeeSixteenths), 16n)
  const floor = unpackDecimal(gasPriceFloor)
  return price < floor ? floor : price
}

each('decimal', (v, name) => {
  assert.equal(packDecimal(BigInt(v.value), 0x7fffn), BigInt(v.charge), name)
  assert.equal(packDecimal(BigInt(v.value), 0x7ffn), BigInt(v.floor), name)
  assert.equal(unpackDecimal(v.charge), BigInt(v.chargeValue), name)
  assert.equal(unpackDecimal(v.floor), BigInt(v.floorValue), name)
})

each('quote', (v, name) => {
  const log = BigInt(v.log)
  const policy = { baseFeeSixteenths: (log >> 212n) & 0xffn, gasPriceFloor: (log >> 220n) & 0xffffn }
  const price = gasPrice(policy, BigInt(v.baseFee))
  const charge = unpackDecimal(log >> 236n)
  const p = Object.fromEntries(Object.entries(v.prices).map(([key, value]) => [key, BigInt(value)]))
  const [callbackGas, fuel] = [BigInt(v.callbackGas), BigInt(v.fuelLimit)]
  let gas = p.landing + BigInt(v.inputLength) * p.inputByte + BigInt(v.outputLength) * p.outputByte
  if (fuel > p.includedFuel) gas += ceil(fuel - p.includedFuel, p.fuelPerGas)
  if (callbackGas !== 0n || charge !== 0n) gas += p.record
  gas += ((log >> 159n) & 0xfn) * p.signature
  const gwei = 1_000_000_000n
  const landing = ceil(gas * price + BigInt(v.dataFee), gwei)
  const reserve = callbackGas + callbackGas / 63n + 1n
  const callback = callbackGas === 0n ? 0n : ceil((reserve + p.callback) * price, gwei)
  assert.deepEqual([landing, callback, charge], [v.landing, v.callback, v.charge].map(BigInt), name)
  assert.equal((landing + callback + charge) * gwei, BigInt(v.fee), name)
})

each('recoveryWord', (v, name) => {
  assert.equal(pack([v.kind, 8], [v.threshold, 8], [v.shares, 8], [0, 232]), v.word, name)
})

// Storage (ERC-7201).

each('slot', (v, name) => {
  const namespace = (id) => {
    const inner = BigInt(keccak256(stringToHex(id))) - 1n
    return BigInt(clearLow(keccak256(numberToHex(inner, { size: 32 })), 8n))
  }
  const field = (id, index) => numberToHex(namespace(id) + index, { size: 32 })
  const mapping = (key, slot) => keccak256(concat([numberToHex(BigInt(key), { size: 32 }), slot]))
  const oracle = 'subrosa.storage.Oracle'
  const entries = mapping(v.contractId, field(oracle, 0n))
  assert.equal(mapping(BigInt(v.seq) % 64n, entries), v.entry, name)
  assert.equal(mapping(BigInt(v.seq) | (1n << 48n), entries), v.ownEntry, name)
  assert.equal(mapping(v.contractId, field(oracle, 1n)), v.head, name)
  assert.equal(mapping(v.contractId, field(oracle, 2n)), v.log, name)
  const epochs = field('subrosa.storage.Registry', 0n)
  assert.equal(mapping(v.keyEpoch, mapping(v.keyGroup, epochs)), v.epoch, name)
})

// EIP-712 messages.

const fields = (list) =>
  list.split(', ').map((field) => {
    const [type, name] = field.split(' ')
    return { type, name }
  })
const types = {
  SignedResults: fields('bytes32[] resultHashes, address payee'),
  CosignedResults: fields('bytes32[] resultHashes'),
  SignerAdmission: fields(
    'address signer, bytes32 transferKeyHash, bytes32 measurementId, bytes32 configHash, bytes32 startHash, bytes32 rootId, uint8 teeKind, bytes32 product, bytes32 machineId, uint8 tcbStatus, uint32 tcbEvaluation, bytes32 policyHash, bytes32 evidenceHash, uint64 challengeBlock, bytes32 challengeBlockHash, address registrant, uint64 notAfter',
  ),
  EpochOpening: fields(
    'uint32 keyGroup, uint32 keyEpoch, bytes32 publicKeyHash, bytes32 configHash, bytes32 setHash, uint256 recovery',
  ),
  EpochAcknowledgement: fields('uint32 keyGroup, uint32 keyEpoch, bytes32 record, bool holdsPrevious'),
  Query: fields('bytes32 contractId, bytes32 inputHash, bytes32 replyKeyHash, bytes32 nonce, uint64 expiry'),
  QueryReply: fields(
    'bytes32 queryHash, bytes32 contractId, uint48 seq, bytes32 commitment, uint64 blockNumber, bytes32 nonce, bytes32 replyHash, bytes32 configHash',
  ),
  AttestationStatement: fields(
    'bytes32 challengeHash, uint32 keyGroup, uint32 keyEpoch, bytes32 publicKeyHash, uint256 recovery, bytes32 configHash, bytes32 startHash, uint64 headerNumber, bytes32 headerHash, uint64 headerTime',
  ),
  AttestationAnswer: fields('bytes32 challengeHash, bytes32 evidenceHash, bytes32 statementHash, address payee'),
  ContractStatement: fields(
    'bytes32 contractId, bytes32 codeCommitment, uint48 seq, bytes32 commitment, bytes32 configHash, bytes32 nonce',
  ),
}

const typedData = (domainName, primaryType, vector, message = vector.message) => ({
  domain: {
    name: domainName,
    version: '1',
    chainId: BigInt(vector.chainId),
    verifyingContract: vector.verifyingContract,
  },
  types: { [primaryType]: types[primaryType] },
  primaryType,
  message,
})

for (const [kind, domainName, primaryType] of [
  ['signedResults', 'Subrosa', 'SignedResults'],
  ['cosignedResults', 'Subrosa', 'CosignedResults'],
  ['signerAdmission', 'Subrosa Registry', 'SignerAdmission'],
  ['epochAcknowledgement', 'Subrosa Registry', 'EpochAcknowledgement'],
  ['epochOpening', 'Subrosa Registry', 'EpochOpening'],
  ['query', 'Subrosa', 'Query'],
  ['queryReply', 'Subrosa', 'QueryReply'],
  ['contractStatement', 'Subrosa', 'ContractStatement'],
  ['attestationStatement', 'Subrosa', 'AttestationStatement'],
  ['attestationAnswer', 'Subrosa', 'AttestationAnswer'],
]) {
  each(kind, async (v, name) => {
    assert.deepEqual(
      Object.keys(v.message).sort(),
      types[primaryType].map((field) => field.name).sort(),
    )
    const data = typedData(domainName, primaryType, v)
    assert.equal(hashTypedData(data), v.hash, name)
    // What a wallet signs is this hash.
    const account = privateKeyToAccount(keccak256(stringToHex(name)))
    const signature = await account.signTypedData(data)
    assert.equal(await recoverAddress({ hash: v.hash, signature }), account.address)
  })
}

each('batch', (v, name) => {
  const size = (value, bytes) => numberToHex(BigInt(value), { size: bytes })
  const head = [v.payee, size(v.keyGroup, 4), size(v.keyEpoch, 4), size(v.signatures.length, 4)]
  const packed = [...head, ...v.signatures.flatMap(({ r, vs }) => [r, vs])]
  const digests = []
  const resultHashes = []
  for (const group of v.groups) {
    let commitment = clearLow(group.start, 48n)
    let seq = BigInt(group.start) & ((1n << 48n) - 1n)
    let previousDigest = group.previousDigest
    packed.push(group.contractId, group.start, previousDigest.slice(0, 64), size(group.items.length, 1))
    for (const item of group.items) {
      const parts = [item.landing, item.callback, item.charge]
      packed.push(item.executionHash, item.settlement, ...parts.map((part) => size(part, 6)))
      packed.push(item.result, size((item.data.length - 2) / 2, 4), item.data)
      const keys = [
        [v.keyGroup, 32],
        [v.keyEpoch, 32],
      ]
      const payment = pack(...parts.map((part) => [part, 48]), ...keys, [seq, 48])
      const entry = { ...item, payment, contractId: group.contractId, previousDigest }
      previousDigest = entryDigest(v.chainId, v.oracle, entry, item.executionHash)
      const result = BigInt(item.result)
      const split = 2 + 2 * Number(result & 0x7fffffffn)
      const hasLogs = (result >> 31n) & 1n
      const end = hasLogs ? item.data.length - 64 : item.data.length
      const outcome = outcomeHash({
        status: (result >> 40n) & 0xffn,
        outputHash: keccak256(item.data.slice(0, split)),
        sealedOutputHash: keccak256(`0x${item.data.slice(split, end)}`),
        sealedLogsHash: hasLogs ? `0x${item.data.slice(end)}` : numberToHex(0, { size: 32 }),
        fuelBucket: (result >> 32n) & 0xffn,
      })
      const previous = commitment
      commitment = clearLow(item.result, 48n)
      seq += 1n
      digests.push(previousDigest)
      resultHashes.push(resultHash(previousDigest, outcome, previous, commitment))
    }
  }
  assert.equal(concat(packed), v.packed, name)
  assert.deepEqual(digests, v.digests, name)
  assert.deepEqual(resultHashes, v.resultHashes, name)
  const at = { chainId: v.chainId, verifyingContract: v.oracle }
  const first = { resultHashes, payee: v.payee }
  assert.equal(hashTypedData(typedData('Subrosa', 'SignedResults', at, first)), v.signed, name)
  const further = typedData('Subrosa', 'CosignedResults', at, { resultHashes })
  assert.equal(hashTypedData(further), v.cosigned, name)
})

test('every kind of vector is checked', () => {
  assert.deepEqual([...checked].sort(), Object.keys(vectors).sort())
})
