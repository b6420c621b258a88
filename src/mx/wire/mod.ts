/**
 * MX over Ethernet, byte by byte (Open-MX common/omx_wire.h, cited as "W"; "lnx/" is its Linux driver, "lib/" its
 * library, "IO" its omx_io.h). All fields are big-endian.
 *
 * To send: `emitHead`, one `emit...` from a record that is used again for every frame, the payload at the offset that
 * it returned, then `padFrame` for the length. To receive: `validate`, `packetType`, then single fields by name. To
 * look at frames: the `parse...` functions, `describe` and `fields`.
 */
export * from "./ack.ts";
export * from "./connect.ts";
export * from "./describe.ts";
export * from "./discovery.ts";
export * from "./eager.ts";
export * from "./ethernet.ts";
export * from "./fields.ts";
export * from "./header.ts";
export * from "./large.ts";
export * from "./pull.ts";
export * from "./validate.ts";
