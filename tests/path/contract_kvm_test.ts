import { testContract } from "./contract.ts";

testContract(({ hypervisor }) => hypervisor === "kvm");
