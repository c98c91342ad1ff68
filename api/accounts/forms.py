"""What signing up asks beyond allauth's own fields."""

from django import forms
from django.http import HttpRequest

from api.accounts.models import User
from api.core.serializers import NOT_ONE_LINE, is_one_line


class SignUpForm(forms.Form):
    """The base that allauth builds its sign-up form on. `AccountAdapter.save_user` stores what is asked here."""

    name = forms.CharField(
        max_length=80,
        strip=True,
        label="Name",
        help_text="What requesters and members of your collectives see; it need not be your legal name.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    wants = forms.ChoiceField(
        label="I want to",
        choices=[("work", "do tasks and be paid"), ("request", "have tasks done"), ("both", "both")],
        initial="work",
        widget=forms.RadioSelect,
    )
    field_order = ("email", "name", "password1", "wants")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not is_one_line(name):
            raise forms.ValidationError(NOT_ONE_LINE)
        return name

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth calls this after the user was saved, when nothing is left to do."""
