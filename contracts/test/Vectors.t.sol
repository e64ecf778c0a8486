// SPDX-License-Identifier: Apache-2.0
// long: one test for each kind of vector, read in one place
pragma solidity ^0.8.28;

import {ISubrosaOracle, PriceTable} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaEpochs} from "../src/interfaces/ISubrosaEpochs.sol";
import {ISubrosaRegistry} from "../src/interfaces/ISubrosaRegistry.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {
    AttestationAnswer,
    AttestationStatement,
    EnclaveConfig,
    Entry,
    EpochAcknowledgement,
    EpochMember,
    EpochOpening,
    Outstanding,
    ReportBinding,
    SignerAdmission
} from "../src/interfaces/SubrosaTypes.sol";
import {Decimal} from "../src/libraries/Decimal.sol";
import {Digests} from "../src/libraries/Digests.sol";
import {
    ExecutionWord,
    ExecutionWords,
    PaymentWord,
    PaymentWords,
    ResultWord,
    SettlementWord,
    SettlementWords
} from "../src/libraries/EntryWords.sol";
import {HeadSlot} from "../src/libraries/HeadSlot.sol";
import {LogSlot} from "../src/libraries/LogSlot.sol";
import {PriceSlots} from "../src/libraries/PriceSlot.sol";
import {Prices} from "../src/libraries/Prices.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {Cast} from "./support/Cast.sol";
import {Reference} from "./support/Reference.sol";

/// @notice Library functions that depend on the running contract or take calldata.
contract Exposed is TypedData {
    function entry(Entry calldata e) external view returns (bytes32) {
        return Digests.entry(e);
    }

    function epoch(EpochOpening calldata opening) external pure returns (bytes32) {
        return Digests.epoch(opening);
    }

    function typed(bytes32 structHash) external view returns (bytes32) {
        return _typedDataHash(structHash);
    }

    function _domainNameHash() internal pure override returns (bytes32) {
        return keccak256("Subrosa");
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa";
    }
}

/// @notice Reads `fixtures/protocol/vectors.json`, which the Rust types produce. It is checked against the
/// libraries and, wherever a contract computes the value itself, against the deployed contract.
abstract contract VectorFile is Cast {
    uint256 internal constant CASES = 4;

    string private file = vm.readFile("../fixtures/protocol/vectors.json");

    /// @dev The path of a field of the case with this number; fails unless there are `CASES` of them.
    function _case(string memory kind, uint256 index, string memory field) internal view returns (string memory) {
        string memory list = string.concat(".", kind);
        assertFalse(vm.keyExistsJson(file, string.concat(list, "[", vm.toString(CASES), "]")), "more cases");
        return string.concat(list, "[", vm.toString(index), "].", field);
    }

    function _word(string memory kind, uint256 index, string memory field) internal view returns (bytes32) {
        return vm.parseJsonBytes32(file, _case(kind, index, field));
    }

    function _words(string memory kind, uint256 index, string memory field) internal view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(file, _case(kind, index, field));
    }

    function _uint(string memory kind, uint256 index, string memory field) internal view returns (uint256) {
        return vm.parseJsonUint(file, _case(kind, index, field));
    }

    function _flag(string memory kind, uint256 index, string memory field) internal view returns (bool) {
        return vm.parseJsonBool(file, _case(kind, index, field));
    }

    function _account(string memory kind, uint256 index, string memory field) internal view returns (address) {
        return vm.parseJsonAddress(file, _case(kind, index, field));
    }

    function _bytes(string memory kind, uint256 index, string memory field) internal view returns (bytes memory) {
        return vm.parseJsonBytes(file, _case(kind, index, field));
    }

    function _opening(string memory kind, uint256 i, string memory prefix) internal view returns (EpochOpening memory) {
        return EpochOpening({
            keyGroup: uint32(_uint(kind, i, string.concat(prefix, ".keyGroup"))),
            keyEpoch: uint32(_uint(kind, i, string.concat(prefix, ".keyEpoch"))),
            publicKeyHash: _word(kind, i, string.concat(prefix, ".publicKeyHash")),
            configHash: _word(kind, i, string.concat(prefix, ".configHash")),
            setHash: _word(kind, i, string.concat(prefix, ".setHash")),
            recovery: _uint(kind, i, string.concat(prefix, ".recovery"))
        });
    }

    function _deployRegistry() internal returns (ISubrosaRegistry) {
        return ISubrosaRegistry(
            deployCode(
                "SubrosaRegistry.sol:SubrosaRegistry",
                abi.encode(address(this), uint40(0), uint40(1), uint40(0), uint40(0))
            )
        );
    }

    function _deployOracle(ISubrosaRegistry registry) internal returns (ISubrosaOracle) {
        // Prices are of no matter here, but that fuel has one.
        PriceTable memory prices;
        prices.fuelPerGas = 1;
        return ISubrosaOracle(deployCode(_oracleArtifact(), abi.encode(registry, prices)));
    }

    /// @dev A contract of this kind, as if it had been deployed there on that chain.
    function _at(address instance, uint256 chainId, address where) internal {
        vm.chainId(chainId);
        vm.etch(where, instance.code);
        vm.copyStorage(instance, where);
    }
}

contract HashVectorsTest is VectorFile {
    function test_contract_ids() public {
        for (uint256 i = 0; i < CASES; ++i) {
            vm.chainId(_uint("contractId", i, "chainId"));
            bytes32 id = Digests.contractId(
                _account("contractId", i, "oracle"),
                _account("contractId", i, "deployer"),
                _uint("contractId", i, "nonce")
            );
            assertEq(id, _word("contractId", i, "contractId"));
        }
    }

    function test_code_commitments() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 commitment = Digests.code(
                _word("codeCommitment", i, "salt"),
                uint8(_uint("codeCommitment", i, "engine")),
                keccak256(_bytes("codeCommitment", i, "code")),
                keccak256(_bytes("codeCommitment", i, "init"))
            );
            assertEq(commitment, _word("codeCommitment", i, "commitment"));
        }
    }

    function test_entry_digests() public {
        address instance = address(new Exposed());
        for (uint256 i = 0; i < CASES; ++i) {
            Entry memory entry = Entry({
                contractId: _word("entry", i, "entry.contractId"),
                previousDigest: _word("entry", i, "entry.previousDigest"),
                context: _word("entry", i, "entry.context"),
                inputHash: _word("entry", i, "entry.inputHash"),
                execution: _uint("entry", i, "entry.execution"),
                settlement: _uint("entry", i, "entry.settlement"),
                payment: _uint("entry", i, "entry.payment"),
                refundTo: _account("entry", i, "entry.refundTo")
            });
            address where = _account("entry", i, "oracle");
            _at(instance, _uint("entry", i, "chainId"), where);
            assertEq(
                Digests.execution(entry.context, entry.inputHash, entry.execution, entry.refundTo),
                _word("entry", i, "executionHash")
            );
            assertEq(uint48(entry.payment), _uint("entry", i, "seq"));
            assertEq(Exposed(where).entry(entry), _word("entry", i, "digest"));
        }
    }

    function test_outcome_and_result_hashes() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 outcome = Digests.outcome(
                uint8(_uint("outcome", i, "status")),
                _word("outcome", i, "outputHash"),
                _word("outcome", i, "sealedOutputHash"),
                _word("outcome", i, "sealedLogsHash"),
                uint8(_uint("outcome", i, "fuelBucket"))
            );
            assertEq(outcome, _word("outcome", i, "outcomeHash"));
            bytes32 result = Digests.result(
                _word("result", i, "digest"),
                _word("result", i, "outcomeHash"),
                _word("result", i, "previousCommitment"),
                _word("result", i, "newCommitment")
            );
            assertEq(result, _word("result", i, "resultHash"));
            Outstanding memory left = Outstanding({
                status: uint8(_uint("outstanding", i, "status")),
                outputHash: _word("outstanding", i, "outputHash"),
                held: uint48(_uint("outstanding", i, "held")),
                since: uint48(_uint("outstanding", i, "since"))
            });
            bytes32 hash = Digests.outstanding(_word("outstanding", i, "digest"), left);
            assertEq(hash, _word("outstanding", i, "hash"));
        }
    }

    function test_epoch_records_and_key_hashes() public {
        Exposed exposed = new Exposed();
        for (uint256 i = 0; i < CASES; ++i) {
            assertEq(exposed.epoch(_opening("epochRecord", i, "opening")), _word("epochRecord", i, "record"));
            bytes32 keyHash = keccak256(_bytes("epochKey", i, "xwing"));
            assertEq(Digests.epochKey(keyHash, _word("epochKey", i, "x25519")), _word("epochKey", i, "publicKeyHash"));
        }
    }

    function test_product_ids() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            uint8 teeKind = uint8(_uint("product", i, "teeKind"));
            bytes32 id = Digests.product(teeKind, keccak256(_bytes("product", i, "name")));
            assertEq(id, _word("product", i, "product"));
        }
    }

    function test_measurement_ids_and_sets() public {
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 id = Digests.measurement(
                _word("measurement", i, "rootId"),
                uint8(_uint("measurement", i, "teeKind")),
                _word("measurement", i, "measurementHash")
            );
            assertEq(id, _word("measurement", i, "measurementId"));

            bytes32[] memory ids = _words("epochSet", i, "measurementIds");
            bytes32[] memory configs = _words("epochSet", i, "configHashes");
            EpochMember[] memory members = new EpochMember[](ids.length);
            for (uint256 k = 0; k < ids.length; ++k) {
                members[k] = EpochMember(ids[k], configs[k]);
            }
            assertEq(Digests.epochSet(keccak256(abi.encode(members))), _word("epochSet", i, "setHash"));
        }
    }

    function test_config_hashes() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            EnclaveConfig memory config = EnclaveConfig({
                version: uint16(_uint("config", i, "config.version")),
                chainId: _uint("config", i, "config.chainId"),
                registry: _account("config", i, "config.registry"),
                registryCodeHash: _word("config", i, "config.registryCodeHash"),
                oracle: _account("config", i, "config.oracle"),
                oracleCodeHash: _word("config", i, "config.oracleCodeHash"),
                headerTrust: uint8(_uint("config", i, "config.headerTrust")),
                headerTrustParameters: _bytes("config", i, "config.headerTrustParameters"),
                evidenceRoots: _words("config", i, "config.evidenceRoots"),
                policyHash: _word("config", i, "config.policyHash"),
                keyGroup: uint32(_uint("config", i, "config.keyGroup")),
                recovery: _uint("config", i, "config.recovery")
            });
            assertEq(abi.encode(config), _bytes("config", i, "encoded"));
            assertEq(Digests.config(config), _word("config", i, "configHash"));
        }
    }

    function test_report_data() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            ReportBinding memory binding = ReportBinding({
                domain: Digests.REPORT_DATA,
                version: uint16(_uint("reportData", i, "version")),
                signer: _account("reportData", i, "signer"),
                transferKeyHash: _word("reportData", i, "transferKeyHash"),
                configHash: _word("reportData", i, "configHash"),
                startHash: _word("reportData", i, "startHash")
            });
            bytes32 start = keccak256(_bytes("reportData", i, "checkpoint"));
            assertEq(keccak256(abi.encode(Digests.START, start)), binding.startHash);
            bytes32 high = Digests.reportData(binding);
            bytes32 low = Digests.clientChallenge(_bytes("reportData", i, "challenge"));
            assertEq(bytes.concat(high, low), _bytes("reportData", i, "reportData"));
            low = Digests.registrationChallenge(
                _word("reportData", i, "blockHash"), _account("reportData", i, "registrant")
            );
            assertEq(bytes.concat(high, low), _bytes("reportData", i, "registrationReportData"));
        }
    }
}

contract WordVectorsTest is VectorFile {
    function test_execution_words() public {
        for (uint256 i = 0; i < CASES; ++i) {
            vm.roll(_uint("executionWord", i, "blockNumber"));
            vm.warp(_uint("executionWord", i, "blockTimestamp"));
            // Of the log's word, the fields that an entry takes over: see LogSlot.
            LogSlot log = LogSlot.wrap(
                _uint("executionWord", i, "finalityClass") << 144 | _uint("executionWord", i, "runtimeGeneration")
                    << 128 | _uint("executionWord", i, "codeVersion") << 112
            );
            ExecutionWord word = ExecutionWords.create(
                _uint("executionWord", i, "kind"),
                _uint("executionWord", i, "flags"),
                _uint("executionWord", i, "fuelLimit"),
                _uint("executionWord", i, "outputLimit"),
                log,
                block.number
            );
            assertEq(ExecutionWord.unwrap(word), _uint("executionWord", i, "word"));
        }
    }

    function test_settlement_words() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            address requester = _account("settlementWord", i, "requester");
            uint256 gasLimit = _uint("settlementWord", i, "callbackGasLimit");
            uint256 deadline = _uint("settlementWord", i, "deadline");
            uint256 flags = _uint("settlementWord", i, "flags");
            SettlementWord word = SettlementWord.wrap(_uint("settlementWord", i, "word"));
            assertEq(
                SettlementWord.unwrap(SettlementWords.create(requester, gasLimit, flags, deadline)),
                SettlementWord.unwrap(word)
            );
            assertEq(word.requester(), requester);
            assertEq(word.callbackGasLimit(), gasLimit);
            assertEq(word.deadline(), deadline);
            assertEq(word.callbackExpires(), flags & 1 == 1);
        }
    }

    function test_payment_words() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            uint256 landing = _uint("paymentWord", i, "landing");
            uint256 callback = _uint("paymentWord", i, "callback");
            uint256 charge = _uint("paymentWord", i, "charge");
            uint256 group = _uint("paymentWord", i, "keyGroup");
            uint256 epoch = _uint("paymentWord", i, "keyEpoch");
            uint256 seq = _uint("paymentWord", i, "seq");
            PaymentWord word = PaymentWord.wrap(_uint("paymentWord", i, "word"));
            LogSlot log = LogSlot.wrap(epoch << 80 | group << 48 | seq);
            assertEq(PaymentWord.unwrap(PaymentWords.create(landing, callback, charge, log)), PaymentWord.unwrap(word));
            assertEq(word.landing(), landing);
            assertEq(word.callback(), callback);
            assertEq(word.charge(), charge);
            assertEq(word.keys(), group << 32 | epoch);
            assertEq(word.seq(), seq);
        }
    }

    function test_log_words_and_decimals() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            LogSlot log = LogSlot.wrap(_uint("logWord", i, "word"));
            assertEq(log.nextSeq(), _uint("logWord", i, "nextSeq"));
            assertEq(log.furtherSigners(), _uint("logWord", i, "furtherSigners"));
            assertEq(log.keyGroup(), _uint("logWord", i, "keyGroup"));
            assertEq(log.keyEpoch(), _uint("logWord", i, "keyEpoch"));
            assertEq(log.codeVersion(), _uint("logWord", i, "codeVersion"));
            assertEq(log.runtimeGeneration(), _uint("logWord", i, "runtimeGeneration"));
            assertEq(log.finalityClass(), _uint("logWord", i, "finalityClass"));
            assertEq(log.minimumDeadline(), _uint("logWord", i, "minimumDeadline"));
            assertEq(log.maximumCallbackGas(), _uint("logWord", i, "maximumCallbackGas"));
            assertEq(log.charge(), _uint("logWord", i, "chargeGwei"));
            assertEq(log.gasPrice(_uint("logWord", i, "baseFee")), _uint("logWord", i, "gasPrice"));
            assertEq(log.isStateless(), _flag("logWord", i, "stateless"));
            assertEq(log.isRestricted(), _flag("logWord", i, "restricted"));
            assertEq(log.isPaused(), _flag("logWord", i, "paused"));
            assertEq(log.isLastApart(), _flag("logWord", i, "lastApart"));
            assertEq(log.isWorld(), _flag("logWord", i, "world"));
            assertEq(log.isAbandonable(), _flag("logWord", i, "abandonedOnRetirement"));
            assertEq(log.isAbandoned(), _flag("logWord", i, "abandoned"));

            uint256 value = _uint("decimal", i, "value");
            assertEq(Decimal.pack(value, 0x7fff), _uint("decimal", i, "charge"));
            assertEq(Decimal.pack(value, 0x7ff), _uint("decimal", i, "floor"));
            assertEq(Decimal.unpack(_uint("decimal", i, "charge")), _uint("decimal", i, "chargeValue"));
            assertEq(Decimal.unpack(_uint("decimal", i, "floor")), _uint("decimal", i, "floorValue"));
        }
    }

    function test_quotes() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            (uint256 landing, uint256 callback, uint256 charge) = Prices.parts(
                PriceSlots.pack(_prices(i)),
                LogSlot.wrap(_uint("quote", i, "log")),
                _uint("quote", i, "baseFee"),
                _uint("quote", i, "dataFee"),
                _uint("quote", i, "inputLength"),
                _uint("quote", i, "outputLength"),
                _uint("quote", i, "callbackGas"),
                _uint("quote", i, "fuelLimit")
            );
            assertEq(landing, _uint("quote", i, "landing"));
            assertEq(callback, _uint("quote", i, "callback"));
            assertEq(charge, _uint("quote", i, "charge"));
            assertEq((landing + callback + charge) * 1 gwei, _uint("quote", i, "fee"));
        }
    }

    function _prices(uint256 i) private view returns (PriceTable memory) {
        return PriceTable({
            landing: uint32(_uint("quote", i, "prices.landing")),
            record: uint32(_uint("quote", i, "prices.record")),
            callback: uint32(_uint("quote", i, "prices.callback")),
            signature: uint16(_uint("quote", i, "prices.signature")),
            inputByte: uint16(_uint("quote", i, "prices.inputByte")),
            outputByte: uint16(_uint("quote", i, "prices.outputByte")),
            includedFuel: uint48(_uint("quote", i, "prices.includedFuel")),
            fuelPerGas: uint32(_uint("quote", i, "prices.fuelPerGas")),
            grace: uint32(_uint("quote", i, "prices.grace"))
        });
    }

    function test_result_head_and_recovery_words() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            ResultWord result = ResultWord.wrap(_uint("resultWord", i, "word"));
            assertEq(result.newCommitment(), _word("resultWord", i, "newCommitment"));
            assertEq(result.status(), _uint("resultWord", i, "status"));
            assertEq(result.fuelBucket(), _uint("resultWord", i, "fuelBucket"));
            assertEq(result.outputLength(), _uint("resultWord", i, "outputLength"));

            HeadSlot head = HeadSlot.wrap(_uint("headWord", i, "word"));
            assertEq(head.seq(), _uint("headWord", i, "seq"));
            assertEq(head.isMarked(), _flag("headWord", i, "marked"));
            assertEq(head.signers(), _uint("headWord", i, "signers"));
            assertEq(head.hasThreshold(), _flag("headWord", i, "threshold") || head.signers() != 0);
            assertEq(head.isStateless(), _flag("headWord", i, "stateless"));
            if (head.isStateless()) {
                assertEq(head.keyEpoch(), _uint("headWord", i, "keyEpoch"));
                assertEq(head.pending(), _uint("headWord", i, "pending"));
                continue;
            }
            assertEq(head.commitment(), _word("headWord", i, "commitment"));
            assertTrue(head.isAt(_uint("headWord", i, "start")));

            bytes memory recovery = abi.encodePacked(
                uint8(_uint("recoveryWord", i, "kind")),
                uint8(_uint("recoveryWord", i, "threshold")),
                uint8(_uint("recoveryWord", i, "shares")),
                uint232(0)
            );
            assertEq(bytes32(recovery), _word("recoveryWord", i, "word"));
        }
    }

    function test_slots_are_where_the_contracts_look() public {
        ISubrosaRegistry registry = _deployRegistry();
        ISubrosaOracle oracle = _deployOracle(registry);
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 id = _word("slot", i, "contractId");
            bytes32 value = keccak256(abi.encode(i));

            vm.store(address(oracle), _word("slot", i, "entry"), value);
            bytes32 slots = keccak256(abi.encode(id, Reference.location("subrosa.storage.Oracle")));
            uint256 number = _uint("slot", i, "seq");
            assertEq(oracle.extsload(keccak256(abi.encode(number % 64, slots))), value);
            assertEq(keccak256(abi.encode(number | 1 << 48, slots)), _word("slot", i, "ownEntry"));
            vm.store(address(oracle), _word("slot", i, "log"), value);
            assertEq(oracle.logOf(id), uint256(value));
            vm.store(address(oracle), _word("slot", i, "head"), value);
            assertEq(oracle.head(id), uint256(value));

            (uint256 group, uint256 epoch) = (_uint("slot", i, "keyGroup"), _uint("slot", i, "keyEpoch"));
            vm.store(address(registry), _word("slot", i, "epoch"), value);
            assertEq(registry.epochRecord(uint32(group), uint32(epoch)), value);
        }
    }
}

/// @notice What contracts verify themselves is given to them with a signature over the vector's hash:
/// they name the account they recovered, which is the right one for the right hash only.
contract MessageVectorsTest is VectorFile {
    uint256 private constant KEY = uint256(keccak256("some key"));

    Exposed private exposed = new Exposed();
    ISubrosaRegistry private registryInstance = _deployRegistry();
    ISubrosaOracle private oracleInstance = _deployOracle(registryInstance);

    function test_the_oracle_recovers_the_signer_of_a_batch() public {
        for (uint256 i = 0; i < CASES; ++i) {
            address where = _account("batch", i, "oracle");
            _at(address(oracleInstance), _uint("batch", i, "chainId"), where);
            bytes memory packed = _bytes("batch", i, "packed");
            bytes32 signed = _word("batch", i, "signed");
            (bytes32 r, bytes32 vs) = vm.signCompact(KEY, signed);
            // In the place of the first signature.
            assembly ("memory-safe") {
                mstore(add(packed, 0x40), r)
                mstore(add(packed, 0x60), vs)
            }
            vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerUnknown.selector, vm.addr(KEY)));
            ISubrosaOracle(where).fulfill(packed);

            bytes32 hashes = keccak256(abi.encodePacked(_words("batch", i, "resultHashes")));
            address payee = _account("batch", i, "payee");
            assertEq(Reference.typed("Subrosa", block.chainid, where, _signedResults(hashes, payee)), signed);
            bytes32 cosigned = Reference.typed("Subrosa", block.chainid, where, _cosignedResults(hashes));
            assertEq(cosigned, _word("batch", i, "cosigned"));
        }
    }

    function test_signed_and_cosigned_results() public {
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 hashes = keccak256(abi.encodePacked(_words("signedResults", i, "message.resultHashes")));
            address payee = _account("signedResults", i, "message.payee");
            _checkOracleMessage("signedResults", i, _signedResults(hashes, payee));
            hashes = keccak256(abi.encodePacked(_words("cosignedResults", i, "message.resultHashes")));
            _checkOracleMessage("cosignedResults", i, _cosignedResults(hashes));
        }
    }

    function _signedResults(bytes32 hashes, address payee) private pure returns (bytes32) {
        bytes32 typeHash = keccak256("SignedResults(bytes32[] resultHashes,address payee)");
        return keccak256(abi.encode(typeHash, hashes, payee));
    }

    function _cosignedResults(bytes32 hashes) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("CosignedResults(bytes32[] resultHashes)"), hashes));
    }

    function test_the_registry_recovers_the_verifier_of_an_admission() public {
        for (uint256 i = 0; i < CASES; ++i) {
            SignerAdmission memory admission = _admission(i);
            ISubrosaRegistry registry = ISubrosaRegistry(_place("signerAdmission", i, address(registryInstance)));
            bytes[] memory signatures = new bytes[](1);
            signatures[0] = _sign(_word("signerAdmission", i, "hash"));
            vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VerifierUnknown.selector, vm.addr(KEY)));
            registry.admit(admission, signatures);
        }
    }

    function test_the_registry_recovers_the_signer_of_an_opening() public {
        for (uint256 i = 0; i < CASES; ++i) {
            EpochOpening memory opening = _opening("epochOpening", i, "message");
            ISubrosaRegistry registry = ISubrosaRegistry(_place("epochOpening", i, address(registryInstance)));
            bytes memory signature = _sign(_word("epochOpening", i, "hash"));
            // What comes after the signature: nothing was scheduled.
            vm.expectPartialRevert(ISubrosaEpochs.EpochNotNext.selector);
            registry.openEpoch(opening, vm.addr(KEY), signature);
        }
    }

    function test_the_registry_takes_the_hash_of_an_acknowledgement() public {
        for (uint256 i = 0; i < CASES; ++i) {
            EpochAcknowledgement memory a = EpochAcknowledgement({
                keyGroup: uint32(_uint("epochAcknowledgement", i, "message.keyGroup")),
                keyEpoch: uint32(_uint("epochAcknowledgement", i, "message.keyEpoch")),
                record: _word("epochAcknowledgement", i, "message.record"),
                holdsPrevious: i % 2 == 1
            });
            ISubrosaRegistry registry = ISubrosaRegistry(_place("epochAcknowledgement", i, address(registryInstance)));
            bytes memory signature = _sign(_word("epochAcknowledgement", i, "hash"));
            // What comes after the signature: no such opening is known.
            vm.expectPartialRevert(ISubrosaEpochs.OpeningUnknown.selector);
            registry.acknowledgeEpoch(a, vm.addr(KEY), signature);
        }
    }

    function test_queries() public {
        bytes32 typeHash =
            keccak256("Query(bytes32 contractId,bytes32 inputHash,bytes32 replyKeyHash,bytes32 nonce,uint64 expiry)");
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 structHash = keccak256(
                abi.encode(
                    typeHash,
                    _word("query", i, "message.contractId"),
                    _word("query", i, "message.inputHash"),
                    _word("query", i, "message.replyKeyHash"),
                    _word("query", i, "message.nonce"),
                    _uint("query", i, "message.expiry")
                )
            );
            _checkOracleMessage("query", i, structHash);
        }
    }

    function test_query_replies() public {
        bytes32 typeHash = keccak256(
            "QueryReply(bytes32 queryHash,bytes32 contractId,uint48 seq,bytes32 commitment,uint64 blockNumber,bytes32 nonce,bytes32 replyHash,bytes32 configHash)"
        );
        for (uint256 i = 0; i < CASES; ++i) {
            bytes memory first = abi.encode(
                typeHash,
                _word("queryReply", i, "message.queryHash"),
                _word("queryReply", i, "message.contractId"),
                _uint("queryReply", i, "message.seq"),
                _word("queryReply", i, "message.commitment")
            );
            bytes memory second = abi.encode(
                _uint("queryReply", i, "message.blockNumber"),
                _word("queryReply", i, "message.nonce"),
                _word("queryReply", i, "message.replyHash"),
                _word("queryReply", i, "message.configHash")
            );
            _checkOracleMessage("queryReply", i, keccak256(bytes.concat(first, second)));
        }
    }

    function test_contract_statements() public {
        bytes32 typeHash = keccak256(
            "ContractStatement(bytes32 contractId,bytes32 codeCommitment,uint48 seq,bytes32 commitment,bytes32 configHash,bytes32 nonce)"
        );
        for (uint256 i = 0; i < CASES; ++i) {
            bytes32 structHash = keccak256(
                abi.encode(
                    typeHash,
                    _word("contractStatement", i, "message.contractId"),
                    _word("contractStatement", i, "message.codeCommitment"),
                    _uint("contractStatement", i, "message.seq"),
                    _word("contractStatement", i, "message.commitment"),
                    _word("contractStatement", i, "message.configHash"),
                    _word("contractStatement", i, "message.nonce")
                )
            );
            _checkOracleMessage("contractStatement", i, structHash);
        }
    }

    function test_attestation_statements() public {
        bytes32 typeHash = keccak256(
            "AttestationStatement(bytes32 challengeHash,uint32 keyGroup,uint32 keyEpoch,bytes32 publicKeyHash,uint256 recovery,bytes32 configHash,bytes32 startHash,uint64 headerNumber,bytes32 headerHash,uint64 headerTime)"
        );
        string memory kind = "attestationStatement";
        for (uint256 i = 0; i < CASES; ++i) {
            AttestationStatement memory statement = AttestationStatement({
                challengeHash: _word(kind, i, "message.challengeHash"),
                keyGroup: uint32(_uint(kind, i, "message.keyGroup")),
                keyEpoch: uint32(_uint(kind, i, "message.keyEpoch")),
                publicKeyHash: _word(kind, i, "message.publicKeyHash"),
                recovery: _uint(kind, i, "message.recovery"),
                configHash: _word(kind, i, "message.configHash"),
                startHash: _word(kind, i, "message.startHash"),
                headerNumber: uint64(_uint(kind, i, "message.headerNumber")),
                headerHash: _word(kind, i, "message.headerHash"),
                headerTime: uint64(_uint(kind, i, "message.headerTime"))
            });
            _checkOracleMessage(kind, i, keccak256(abi.encode(typeHash, statement)));
        }
    }

    function test_attestation_answers() public {
        bytes32 typeHash = keccak256(
            "AttestationAnswer(bytes32 challengeHash,bytes32 evidenceHash,bytes32 statementHash,address payee)"
        );
        string memory kind = "attestationAnswer";
        for (uint256 i = 0; i < CASES; ++i) {
            AttestationAnswer memory answer = AttestationAnswer({
                challengeHash: _word(kind, i, "message.challengeHash"),
                evidenceHash: _word(kind, i, "message.evidenceHash"),
                statementHash: _word(kind, i, "message.statementHash"),
                payee: _account(kind, i, "message.payee")
            });
            _checkOracleMessage(kind, i, keccak256(abi.encode(typeHash, answer)));
        }
    }

    /// @dev Under the domain as the contract's own code and as the tests' reference have it.
    function _checkOracleMessage(string memory kind, uint256 i, bytes32 structHash) private {
        address where = _place(kind, i, address(exposed));
        bytes32 hash = _word(kind, i, "hash");
        assertEq(Exposed(where).typed(structHash), hash);
        assertEq(Reference.typed("Subrosa", block.chainid, where, structHash), hash);
    }

    function _place(string memory kind, uint256 i, address instance) private returns (address where) {
        where = _account(kind, i, "verifyingContract");
        _at(instance, _uint(kind, i, "chainId"), where);
    }

    function _admission(uint256 i) private view returns (SignerAdmission memory) {
        string memory kind = "signerAdmission";
        return SignerAdmission({
            signer: _account(kind, i, "message.signer"),
            transferKeyHash: _word(kind, i, "message.transferKeyHash"),
            measurementId: _word(kind, i, "message.measurementId"),
            configHash: _word(kind, i, "message.configHash"),
            startHash: _word(kind, i, "message.startHash"),
            rootId: _word(kind, i, "message.rootId"),
            teeKind: uint8(_uint(kind, i, "message.teeKind")),
            product: _word(kind, i, "message.product"),
            machineId: _word(kind, i, "message.machineId"),
            tcbStatus: uint8(_uint(kind, i, "message.tcbStatus")),
            tcbEvaluation: uint32(_uint(kind, i, "message.tcbEvaluation")),
            policyHash: _word(kind, i, "message.policyHash"),
            evidenceHash: _word(kind, i, "message.evidenceHash"),
            challengeBlock: uint64(_uint(kind, i, "message.challengeBlock")),
            challengeBlockHash: _word(kind, i, "message.challengeBlockHash"),
            registrant: _account(kind, i, "message.registrant"),
            notAfter: uint64(_uint(kind, i, "message.notAfter"))
        });
    }

    function _sign(bytes32 hash) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, hash);
        return abi.encodePacked(r, s, v);
    }
}
