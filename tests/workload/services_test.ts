import assert from "node:assert/strict";
import { checkServices, serviceOf } from "../../src/workload/services.ts";
import { type Crew, WorkloadError } from "../../src/workload/workload.ts";

const crewOf = (hosts: number[]): Crew => ({ ranks: hosts.length, boards: 1, hostIndexOf: (rank) => hosts[rank] });

Deno.test("clients go to a server on another host where there is one, as many to each as can be", () => {
  const crew = crewOf([0, 1, 0, 1, 0, 1]);
  assert.deepEqual(serviceOf(crew, "cross-host", 2, 0), { server: 0, clients: [3, 5] });
  assert.deepEqual(serviceOf(crew, "cross-host", 2, 4), { server: 1, clients: [2, 4] });
  assert.deepEqual(serviceOf(crew, "cross-host", 1, 5), { server: 0, clients: [1, 2, 3, 4, 5] });
  assert.deepEqual(serviceOf(crewOf([0, 0, 0, 0, 0]), "cross-host", 2, 4), { server: 0, clients: [2, 4] });
  assert.deepEqual(serviceOf(crew, "cross-host", undefined, 3), { server: 3, clients: [2] });
});

Deno.test("each server has a client", () => {
  checkServices(crewOf([0, 1, 0, 1]), "cross-host", 2);
  const asked = () => checkServices(crewOf([0, 1, 0, 1]), "cross-host", 3);
  const message = "servers: found 3, wanted at most 2: half of the 4 guests";
  assert.throws(asked, (error) => error instanceof WorkloadError && error.message === message);
  assert.throws(() => checkServices(crewOf([0, 0, 0]), "same-host", undefined), WorkloadError);
});
