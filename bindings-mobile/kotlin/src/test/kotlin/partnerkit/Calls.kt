// What calls take from Kotlin, on the store at a path that the example `calls` has made: `bench-calls`
// runs both.

package partnerkit

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

const val TIMES = 2_000

fun main(arguments: Array<String>) = runBlocking {
    val platform = Platform.open("sqlite:${arguments[0]}")
    val agency = platform.ensureAgency("northwind")
    val some = agency.page(ResellerQuery()).resellers[7].id
    median("id(), which does not suspend") { agency.id() }
    median("reseller") { agency.reseller(some) }
    median("page of 25") { agency.page(ResellerQuery()) }
    // As in a server, whose requests run on a dispatcher with several threads.
    withContext(Dispatchers.Default) {
        median("reseller, on Dispatchers.Default") { agency.reseller(some) }
        median("page of 25, on Dispatchers.Default") { agency.page(ResellerQuery()) }
    }
    agency.close()
    platform.close()
}

private suspend fun median(what: String, call: suspend () -> Unit) {
    val micros = DoubleArray(5 * TIMES) {
        val begin = System.nanoTime()
        call()
        (System.nanoTime() - begin) / 1e3
    }
    val warm = micros.drop(4 * TIMES).sorted()
    println("%s: %.1f µs in Kotlin".format(what, warm[TIMES / 2]))
}
