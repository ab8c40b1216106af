/** An error that the endpoint answers with a status and an S3 XML body. */
export class S3Error extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const noSuchBucket = () => new S3Error("NoSuchBucket", 404, "The specified bucket does not exist");
export const noSuchKey = () => new S3Error("NoSuchKey", 404, "The specified key does not exist.");
export const noSuchUpload = () =>
  new S3Error("NoSuchUpload", 404, "The upload id is unknown, or the upload was aborted or completed.");
export const notImplemented = (what: string) =>
  new S3Error("NotImplemented", 501, `${what} is not implemented`);
