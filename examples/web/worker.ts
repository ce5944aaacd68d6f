// The engine's runs block the thread that asks for them: here that isn't the page's.
import { load } from 'blvit/web'

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
const loading = load('/model', {
  cache: true, // the next visit needs no download
  onProgress: ({ downloadedBytes, totalBytes = downloadedBytes }) =>
    postMessage(`Loading: ${megabytes(downloadedBytes)} of ${megabytes(totalBytes)}`),
})

addEventListener('message', async ({ data }: MessageEvent<Blob>) => {
  try {
    const { top, elapsedMs } = await (await loading).classify(data, { top: 3 })
    postMessage(`${top.map(({ label }) => label).join(', or ')} (${elapsedMs.toFixed(0)} ms)`)
  } catch (error) {
    postMessage(error instanceof Error ? error.message : String(error))
  }
})
