"""Tests as a host writes them, for Django's runner."""

from django.conf import settings
from django.db import connections, transaction
from django.test import TestCase, TransactionTestCase

from partnerkit import AccessDeniedError, Erasure, InsideTransactionError, Metric, Platform
from partnerkit.django import DjangoStorage

from .attack import failures
from .forms import PASSWORD, draft_with_password
from .partners import LIMIT, platform


def in_memory():
    """Whether there is no room for a second connection."""
    name = str(connections[settings.PARTNERKIT_USING].settings_dict["NAME"])
    return "memory" in name


class Signs:
    """What holds in every kind of test."""

    databases = "__all__"

    def sign_in(self, password=PASSWORD):
        return platform.sign_in("acme", "owner@acme.example", password)

    def guess(self):
        with self.assertRaises(AccessDeniedError):
            self.sign_in("wrong")

    def create(self):
        self.agency = platform.create_agency("northwind")
        self.acme = self.agency.create_reseller(
            idempotency_key="once", **draft_with_password("acme")
        )

    def test_nothing_is_left_of_another_test(self):
        self.assertEqual(platform.agencies(), ["northwind"])
        self.assertEqual(failures(), 0)

    def test_the_same_again(self):
        self.test_nothing_is_left_of_another_test()
        self.assertEqual(self.sign_in().agency, "northwind")

    def test_failures_count_and_the_limit_holds(self):
        for n in range(1, LIMIT + 1):
            self.guess()
            self.assertEqual(failures(), n)
        with self.assertRaises(AccessDeniedError):
            self.sign_in()
        self.agency.unlock(self.acme.id)
        self.assertTrue(platform.check_access(self.sign_in().stamp, None))

    def test_a_platform_opened_here_knows_the_same_secret(self):
        token = self.agency.reset_token(self.acme.id)
        here = Platform.with_storage(DjangoStorage(using=settings.PARTNERKIT_USING))
        new = "amber quilt 17 lantern"
        here.reset_password(token, password=new, password_confirmation=new)
        self.assertTrue(self.sign_in(new))

    def test_requests(self):
        def get(path, **query):
            return self.client.get(f"/{path}", query)

        self.assertEqual(get("create", label="contoso").status_code, 200)
        atomic = settings.DATABASES[settings.PARTNERKIT_USING]["ATOMIC_REQUESTS"]
        if in_memory() and atomic and not isinstance(self, TestCase):
            with self.assertRaises(InsideTransactionError):
                get("sign-in", label="contoso", password=PASSWORD)
            return
        right = {"label": "contoso", "password": PASSWORD}
        self.assertEqual(get("sign-in", **right).status_code, 200)
        self.assertEqual(get("sign-in", **right | {"password": "wrong"}).status_code, 403)
        self.assertEqual(get("page", label="contoso").json(), {"found": ["contoso"]})

    def test_lists_usage_and_deletion(self):
        self.agency.create_reseller(**draft_with_password("globex"))
        page = self.agency.page(limit=1)
        self.assertEqual(len(self.agency.page(limit=1, after=page.next).resellers), 1)
        self.assertTrue(self.agency.consume(self.acme.id, Metric.MESSAGES, 1, "call"))
        self.assertEqual(self.agency.overview().messages, 1)
        self.assertIsInstance(self.agency.delete_reseller(self.acme.id), Erasure)
        platform.maintain()
        self.assertEqual(self.agency.overview().active_resellers, 1)


class InATransaction(Signs, TestCase):
    def setUp(self):
        self.create()

    def test_inside_a_block_the_count_is_the_blocks(self):
        using = settings.PARTNERKIT_USING
        with transaction.atomic(using=using):
            self.guess()
            self.guess()
        self.assertEqual(failures(), 2)
        with self.assertRaises(AccessDeniedError), transaction.atomic(using=using):
            self.sign_in("wrong")
        self.assertEqual(failures(), 2, "of a test, what is undone is undone with its count")

    def test_no_second_connection_is_made(self):
        with transaction.atomic(using=settings.PARTNERKIT_USING):
            self.guess()
        self.assertEqual(set(connections), set(settings.DATABASES))


class InNoTransaction(Signs, TransactionTestCase):
    def setUp(self):
        self.create()

    def test_inside_a_block_the_count_stays(self):
        refusal = InsideTransactionError if in_memory() else AccessDeniedError
        with self.assertRaises(refusal), transaction.atomic(using=settings.PARTNERKIT_USING):
            self.sign_in("wrong")
        self.assertEqual(failures(), 0 if in_memory() else 1)


class SetUpOnce(Signs, TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.agency = platform.create_agency("northwind")
        cls.acme = cls.agency.create_reseller(**draft_with_password("acme"))
