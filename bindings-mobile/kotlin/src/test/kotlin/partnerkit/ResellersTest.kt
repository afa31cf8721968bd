// What an agency does with its resellers, on a store in memory.

package partnerkit

import java.time.Instant
import java.util.UUID
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking

const val PASSWORD = "plain teal walrus 94 umbrella"

class ResellersTest {
    private fun test(body: suspend (Platform, Agency) -> Unit) = runBlocking {
        Platform.open("memory:", "partner.example.com").use { platform ->
            platform.ensureAgency("northwind").use { agency -> body(platform, agency) }
        }
    }

    private fun form(name: String = "Acme Télécom", loginDomain: String = "acme") = ResellerDraft(
        partnerType = "own_plans",
        name = name,
        email = "owner@$loginDomain.example",
        phone = PhoneDraft("US", "(415) 555-2671"),
        invite = true,
        contact = ContactDraft("Ann Lee", "ann@$loginDomain.example", PhoneDraft(number = "+49 30 901820")),
        loginDomain = loginDomain,
    )

    @Test
    fun `what is created is read again`() = test { _, agency ->
        assertEquals("northwind", agency.id())
        val joined = Instant.parse("2024-02-29T12:00:00.123Z")
        val metadata = mapOf("tier" to "gold", "seats" to "12")
        val acme = agency.createReseller(
            form().copy(createdAt = joined, metadata = metadata, externalId = "crm-7", website = "https://acme.example"),
        )
        assertEquals(acme, agency.reseller(acme.id))
        assertEquals(
            Reseller(
                agency = "northwind",
                id = acme.id,
                version = 1u,
                status = Status.ACTIVE,
                deactivationReason = null,
                partnerType = PartnerType.OWN_PLANS,
                name = "Acme Télécom",
                email = "owner@acme.example",
                phone = "+14155552671",
                contact = ContactPerson("Ann Lee", "ann@acme.example", "+4930901820"),
                loginDomain = "acme",
                website = acme.website,
                externalId = "crm-7",
                metadata = metadata,
                createdAt = joined,
                updatedAt = acme.updatedAt,
            ),
            acme,
        )
        assertTrue(acme.website.orEmpty().startsWith("https://acme.example"))
        assertEquals(7, acme.id.version())
    }

    @Test
    fun `pages follow each other`() = test { _, agency ->
        for (name in listOf("acme", "globex", "initech")) {
            agency.createReseller(form(name, name))
        }
        val byName = ResellerQuery(sort = SortBy.NAME, limit = 2u, withTotal = true)
        val first = agency.page(byName)
        assertEquals(listOf("acme", "globex"), first.resellers.map { it.loginDomain })
        assertEquals(Total.Exact(3u), first.total)
        val second = agency.page(byName.copy(after = first.next))
        assertEquals(listOf("initech"), second.resellers.map { it.loginDomain })
        assertNull(second.next)

        assertEquals(listOf("globex"), agency.page(ResellerQuery(text = "GLOB")).resellers.map { it.name })
        assertEquals(0, agency.page(ResellerQuery(status = Status.INACTIVE)).resellers.size)
        // Without an order, the newest comes first.
        val all = agency.page(ResellerQuery())
        assertEquals(listOf("initech", "globex", "acme"), all.resellers.map { it.name })
        assertNull(all.total)
    }

    @Test
    fun `every wrong field is told at once`() = test { _, agency ->
        val wrong = form().copy(name = "x".repeat(201), email = "", phone = PhoneDraft("US", "12"))
        val refused = assertFailsWith<PartnerKitException.Validation> { agency.createReseller(wrong) }
        val codes = refused.fields.associate { it.field to it.code }
        assertEquals(mapOf("name" to "too_long", "email" to "empty", "phone.number" to "invalid"), codes)
        val name = refused.fields.single { it.field == "name" }
        assertEquals("is too long (max 200)", name.message)
        assertEquals(mapOf("max" to 200L), name.params)
        assertEquals("validation", refused.kind())
        assertEquals(422u.toUShort(), refused.httpStatus())
        assertEquals(0, agency.page(ResellerQuery()).resellers.size)

        val taken = agency.createReseller(form())
        val again = assertFailsWith<PartnerKitException.Validation> { agency.createReseller(form()) }
        assertEquals(listOf("taken", "taken"), again.fields.map { it.code })
        assertEquals(taken, agency.reseller(taken.id))
    }

    @Test
    fun `an error has its kind and its text`() = test { _, agency ->
        val missing = assertFailsWith<PartnerKitException.NotFound> { agency.reseller(UUID(0, 7)) }
        assertEquals("not_found", missing.kind())
        assertEquals(404u.toUShort(), missing.httpStatus())
        assertEquals("no such reseller", missing.toString())
        val damaged = assertFailsWith<PartnerKitException> { agency.page(ResellerQuery(after = "x")) }
        assertEquals("invalid_cursor", damaged.kind())
        val settings = assertFailsWith<PartnerKitException.Configuration> { Platform.open("mysql:resellers") }
        assertEquals("configuration", settings.kind())
    }

    @Test
    fun `an idempotency key that is used twice is a conflict without a version`() = test { _, agency ->
        agency.createReseller(form().copy(idempotencyKey = "k"))
        val other = form("Globex", "globex").copy(idempotencyKey = "k")
        val conflict = assertFailsWith<PartnerKitException.Conflict> { agency.createReseller(other) }
        assertNull(conflict.currentVersion)
        assertEquals(409u.toUShort(), conflict.httpStatus())
    }

    @Test
    fun `no text shows a secret`() = test { platform, agency ->
        val draft = form().copy(invite = false, password = PASSWORD, passwordConfirmation = PASSWORD)
        assertFalse("$draft".contains(PASSWORD), "$draft")
        assertTrue("$draft".contains("acme"), "$draft")
        val acme = agency.createReseller(draft)
        val access = platform.signIn("acme", "owner@acme.example", PASSWORD)
        assertEquals(acme.id, access.reseller.id)
        assertNotEquals("", access.stamp)
        assertFalse("$access".contains(access.stamp), "$access")
        assertTrue("$access".contains("northwind"), "$access")
        val denied = assertFailsWith<PartnerKitException.AccessDenied> {
            platform.signIn("acme", "owner@acme.example", "a guess")
        }
        assertEquals("access denied", denied.toString())
    }

    @Test
    fun `many calls at once all end`() = test { _, agency ->
        val acme = agency.createReseller(form())
        val found = runBlocking {
            (1..200).map { async { agency.reseller(acme.id) } }.awaitAll()
        }
        assertEquals(List(200) { acme }, found)
    }
}
