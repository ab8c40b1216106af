/**
 * What the thread is sent. `pieces` has three numbers for each piece: the stream, the number of the buffer, and how many of
 * its bytes count. Buffers are numbered in the order in which they are sent.
 */
export type DigestMessage = { newBuffers: readonly Uint8Array[]; pieces: Int32Array } | "digests";

/** The thread's answer to a message; answers come in the order of the messages. */
export type DigestReply = "hashed" | readonly string[];
