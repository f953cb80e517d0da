/** What we use of the package, which has no types of its own. It decodes a block at a time, into what it is given. */
declare module 'seek-bzip' {
  class Bunzip {
    constructor(input: Bunzip.Input, output: Bunzip.Output);
    /** Reads the next block. @returns false at the end of a stream */
    _init_block(): boolean;
    /** Writes the block. */
    _read_bunzip(): number;
    /** Begins the next stream of the same file. */
    _start_bunzip(input: Bunzip.Input, output: Bunzip.Output): void;
    reader: { read(bits: number): number };
    streamCRC: number;
  }

  namespace Bunzip {
    interface Input {
      /** -1 at the end. */
      readByte(): number;
      read(buffer: Uint8Array, offset: number, length: number): number;
    }
    interface Output {
      writeByte(byte: number): void;
    }
  }
  export default Bunzip;
}
