from pathlib import Path

from django.db import migrations

TEXTS = Path(__file__).parent.parent / "first_texts"


def publish_first_texts(apps, _schema_editor):
    PageVersion = apps.get_model("pages", "PageVersion")
    for path in sorted(TEXTS.glob("*.md")):
        if not PageVersion.objects.filter(kind=path.stem).exists():
            PageVersion.objects.create(kind=path.stem, number=1, text=path.read_text())


class Migration(migrations.Migration):
    dependencies = [("pages", "0002_versions_stay")]
    operations = [migrations.RunPython(publish_first_texts, migrations.RunPython.noop)]
