/** What a request is counted as: POST starts or completes a multipart upload, BUCKET is any other bucket-level call. */
export type Kind = "LIST" | "GET" | "HEAD" | "PUT" | "PART" | "POST" | "COPY" | "DELETE" | "BUCKET";

/** Requests seen since the start or the last reset, counted at arrival, faulted ones included. */
export interface Counts extends Record<Kind, number> {
  total: number;
  /** Answers of 400 and above, by status. */
  errors: Record<number, number>;
  maxInFlight: number;
}

/** Keeps the counters of one endpoint. */
export class Counter {
  counts = emptyCounts();
  private readonly perKey = new Map<string, { GET: number; PUT: number }>();
  private inFlight = 0;

  arrived(request: { kind: Kind; bucket: string; key: string }): void {
    const { kind, bucket, key } = request;
    this.counts[kind]++;
    this.counts.total++;
    this.inFlight++;
    this.counts.maxInFlight = Math.max(this.counts.maxInFlight, this.inFlight);
    if (kind !== "GET" && kind !== "PUT") return;
    const entry = this.forKey(bucket, key);
    entry[kind]++;
    this.perKey.set(`${bucket}/${key}`, entry);
  }

  left(): void {
    this.inFlight--;
  }

  failed(status: number): void {
    this.counts.errors[status] = (this.counts.errors[status] ?? 0) + 1;
  }

  forKey(bucket: string, key: string): { GET: number; PUT: number } {
    return this.perKey.get(`${bucket}/${key}`) ?? { GET: 0, PUT: 0 };
  }

  reset(): void {
    this.counts = { ...emptyCounts(), maxInFlight: this.inFlight };
    this.perKey.clear();
  }
}

function emptyCounts(): Counts {
  const zero = { LIST: 0, GET: 0, HEAD: 0, PUT: 0, PART: 0, POST: 0, COPY: 0, DELETE: 0, BUCKET: 0 };
  return { ...zero, total: 0, errors: {}, maxInFlight: 0 };
}
