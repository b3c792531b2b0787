"""People for tests. Other apps' tests import these."""

import factory
from django.utils import timezone

from accounts.addresses import record_verified_address
from accounts.models import Teacher, User

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory):
    """A person who signed up. The password is PASSWORD unless another is given; the address is verified."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    password = PASSWORD

    @classmethod
    def _create(cls, model_class, *args, is_verified=True, **kwargs):
        user = model_class.objects.create_user(*args, **kwargs)
        if is_verified:
            record_verified_address(user)
        return user


class TeacherFactory(factory.django.DjangoModelFactory):
    """An approved teacher; pass status=Teacher.Status.APPLIED for one whose application is waiting."""

    class Meta:
        model = Teacher

    user = factory.SubFactory(UserFactory)
    slug = factory.Sequence(lambda n: f"teacher-{n}")
    display_name = factory.SelfAttribute("user.full_name")
    status = Teacher.Status.APPROVED
    decided_at = factory.LazyFunction(timezone.now)
    languages = factory.LazyFunction(lambda: ["en"])
    regions = factory.LazyFunction(lambda: ["GB"])
