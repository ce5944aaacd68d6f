import { isMainThread } from 'node:worker_threads'
import { BlvitError, messageOf } from '../../base/blvit-error.js'

/** ONNX Runtime's own switch; its native library reads it as the first session of a process opens. */
const engineSwitch = 'ORT_DISABLE_TELEMETRY'

/** Ours: `1` leaves ONNX Runtime's reports on. */
const ourSwitch = 'BLVIT_TELEMETRY'

/** A main thread that doesn't answer for so long is held up by something that no message gets through to. */
const patienceMs = 2000

/**
 * Sets a variable in the environment of the process, from a thread whose `process.env` is only a copy: the
 * debugger's protocol is the one way from a thread to the main one that needs nobody's help there.
 */
async function setInMainThread(name: string, value: string): Promise<void> {
  // not everything that runs Node's programs has one
  const { Session } = await import('node:inspector')
  const session = new Session()
  session.connectToMainThread()
  try {
    await new Promise<void>((resolve, reject) => {
      // it also keeps this thread alive while it waits
      const timer = setTimeout(() => reject(new Error('the main thread does not answer')), patienceMs)
      const expression = `process.env[${JSON.stringify(name)}] = ${JSON.stringify(value)}`
      session.post('Runtime.evaluate', { expression }, (error, reply) => {
        clearTimeout(timer)
        if (error ?? reply.exceptionDetails)
          reject(new Error(error?.message ?? 'process.env is out of reach'))
        else resolve()
      })
    })
  } finally {
    session.disconnect()
  }
}

/**
 * Keeps ONNX Runtime's native library from reporting home. Since 1.30 it writes a device id and a database of events
 * into the user's cache folder and sends them to its makers' host, unless told not to before its first session.
 * To be called before that. Child processes inherit it; `BLVIT_TELEMETRY=1` leaves the reports on.
 * @throws BlvitError `ENGINE` from a worker thread that can't reach the environment of its process
 */
export async function withoutTelemetry(): Promise<void> {
  if (process.env[ourSwitch] === '1') return
  const inherited = process.env[engineSwitch] === '1'
  process.env[engineSwitch] = '1'
  if (isMainThread) return
  try {
    await setInMainThread(engineSwitch, '1')
  } catch (cause) {
    // a copy that says so from the start most likely says what the process says
    if (inherited) return
    throw new BlvitError(
      'ENGINE',
      `ONNX Runtime's native library would report home, and this worker thread can't turn that off (${messageOf(cause)}). ` +
        `Start the process with ${engineSwitch}=1, or with ${ourSwitch}=1 if you don't mind the reports.`,
      {},
      { cause },
    )
  }
}
