// Runs examples, one after the other as they are asked for, in one process: to start one and read the library takes longer
// than most of them.
import { format } from 'node:util'

async function run(address) {
  let printed = ''
  console.log = (...values) => {
    printed += `${format(...values)}\n`
  }
  try {
    await import(address)
    process.send({ address, printed })
  } catch (error) {
    process.send({ address, printed, error: error?.stack ?? String(error) })
  }
}

let turn = Promise.resolve()
process.on('message', (address) => {
  turn = turn.then(() => run(address))
})
