/** What the thread is sent: stream, number of the buffer and bytes of it, and so on. Buffers are numbered as they come. */
export type DigestMessage = { newBuffers: readonly Uint8Array[]; pieces: Int32Array } | "digests";

/** What the thread answers to each message, in this order. */
export type DigestReply = "hashed" | readonly string[];
